"""`python -m tests.fuzz [TARGET …] [--seconds N]`: runs each target under atheris, and keeps what it finds.

Needs atheris (pip install atheris); says so where it is not installed, and exits with 0.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz import NAMES

FOUND = Path(__file__).parent / "found"
LONGEST = 8192
"""Bytes of an input."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(NAMES))
    parser.add_argument("--seconds", type=int, default=10, help="for each target")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if find_spec("atheris") is None:
        print("fuzzing: atheris is not installed here (pip install atheris): nothing was fuzzed")
        return 0
    if chosen.inside:
        return _inside(chosen.targets[0], chosen.seconds)
    if unknown := set(chosen.targets) - set(NAMES):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return max(_outside(target, chosen.seconds) for target in chosen.targets or NAMES)


def _outside(target: str, seconds: int) -> int:
    """A process for each: the fuzzer ends the one that it runs in."""
    command = [sys.executable, "-m", "tests.fuzz", target, "--seconds", str(seconds), "--inside"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if "cov:" in line or "Done" in line]
    print(
        f"{target:<14} {'found a fault' if done.returncode else 'nothing found'}   {told[-1] if told else ''}"
    )
    if done.returncode:
        print("\n".join([*done.stdout.splitlines(), *done.stderr.splitlines()][-40:]))
    return 1 if done.returncode else 0


def _inside(target: str, seconds: int) -> int:
    import atheris

    with atheris.instrument_imports(include=["tui"]):
        from tests.fuzz.targets import TARGETS, seeds

    folder = Path(tempfile.mkdtemp())
    for seed in seeds(target):
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    FOUND.mkdir(exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={FOUND}/{target}."]
    atheris.Setup([sys.argv[0], str(folder), *options], TARGETS[target])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
