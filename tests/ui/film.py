"""`python -m tests.ui.film`: films the tour and the flood into screenshots/, in dark and in light..

What is filmed is measured as it happens, so a busy machine makes a poor film.
"""

from __future__ import annotations

import subprocess
import sys

from tests.ui.draw import FOLDER

TOUR = ("-m", "tui", "demo")
FLOOD = ("-m", "tests.bench.flood")


def main() -> None:
    for name, command in (("demo", TOUR), ("flood", FLOOD)):
        for theme, end in (("dark", ""), ("light", "-light")):
            file = str(FOLDER / f"{name}{end}.svg")
            subprocess.run([sys.executable, *command, "--theme", theme, "--record", file], check=True)


if __name__ == "__main__":
    main()
