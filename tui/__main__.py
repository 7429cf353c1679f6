"""`python -m tui` and the `stopkey` command."""

from tui.cli import main

if __name__ == "__main__":
    main()
