"""``python -m hwgen``: the command line, where the program `hwgen` is not on PATH."""

from hwgen.cli import main

if __name__ == "__main__":
    main()
