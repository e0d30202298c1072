"""Every command where disks are full or read-only, terminals are plain, and processes are killed.

    python -m benchmarks.hostile [--quick] [--commands build] [--points 50] [--json FILE]

A cell is the exit codes, or the number of kill points with each code (-9: killed). Afterwards
nothing may be lost: the network loads, the build folder has all its files, foreign files and the
bitstream are there; there is no traceback, at most one message, no hidden folder and no process.
After a kill, the same command is run again and must succeed. `demo` consists of these commands;
place and route is done by scripts that write what the tools write, so that it takes no time.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from benchmarks.command import make_console, make_parser, write_json
from benchmarks.hostile_matrix import Matrix, Row
from benchmarks.hostile_place import COMMANDS, MOUNTS, PLAIN
from benchmarks.table import make_table

Tell = Callable[[str], object]


def run(names: Collection[str], *, quick: bool, points: int, tell: Tell) -> list[Row]:
    """All rows of the commands ``names``; ``quick``: without those that need PyTorch or C++."""
    slow = ("convert", "simulate")
    commands = [COMMANDS[name] for name in names if not (quick and name in slow)]
    with tempfile.TemporaryDirectory(prefix="hostile-") as temporary:
        matrix = Matrix(
            Path(os.path.realpath(temporary)),
            simulated=any(command.name in slow for command in commands),
        )
        for command in commands:
            for condition in ("ascii",) if quick else (*PLAIN, "long path"):
                if not quick or command.name == "report":
                    tell(f"{command.name}: {condition}")
                    matrix.in_environment(command, condition)
            for condition in MOUNTS:
                if not quick or command.name == "build":
                    tell(f"{command.name}: {condition}")
                    matrix.on_mount(command, condition)
            if command.name != "methods":
                tell(f"{command.name}: killed, two at once")
                matrix.killed(command, points)
                matrix.two_at_once(command)
        stops = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL) if "build" in names else ()
        for number in stops:
            tell(f"build: {number.name}")
            matrix.tools_killed(number)
        return matrix.rows


def main(argv: list[str] | None = None) -> int:
    parser = make_parser(__doc__, quick="a few cases, in seconds")
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--points", type=int, help="kill points per command (default: 50)")
    arguments = parser.parse_args(argv)
    points = arguments.points or (2 if arguments.quick else 50)
    tell = partial(print, file=sys.stderr)
    rows = run(arguments.commands, quick=arguments.quick, points=points, tell=tell)
    conditions = list(dict.fromkeys(row["condition"] for row in rows))
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        counts = row["codes"].items()
        text = ", ".join(code if count == 1 else f"{code} ({count}x)" for code, count in counts)
        cells.setdefault(row["command"], {})[row["condition"]] = (
            f"{text}, {len(row['faults'])} FAULTS" if row["faults"] else text
        )
    table = [(name, *map(row.get, conditions)) for name, row in cells.items()]
    make_console().print(make_table("exit codes", ("command", *conditions), table))
    places = (f"{row['command']}, {row['condition']}: " for row in rows)
    found = [place + text for place, row in zip(places, rows) for text in row["faults"]]
    print("\n".join(found) or "nothing lost, no traceback, nothing left over, no orphan")
    write_json(arguments.json, rows)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
