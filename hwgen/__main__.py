"""``python -m hwgen``: the command line without the program ``hwgen`` on the PATH."""

from hwgen.cli import main

if __name__ == "__main__":
    main()
