"""Loaders on mutated files: refused in one line, or read; never a traceback or a hang.

    python -m benchmarks.loaders [--mutations 5000] [--only NAME ...] [--json FILE]

Each loader runs in a process of its own, whose greatest growth in memory is shown. Exits with 1 if
there was a traceback, a hang, or a message of more than one line.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.command import make_console, make_parser, write_json
from benchmarks.loader_cases import LOADERS
from benchmarks.loader_fuzz import fuzz
from benchmarks.table import make_table

KEYS = ("loader", "tried", "refused", "same", "different", "tracebacks", "hangs", "mib", "seconds")
COLUMNS = ("loader", "tried", "refused", "same", "different", "tracebacks", "hangs",
           "greatest MiB", "greatest s")  # fmt: skip


def measure(index: int, mutations: int) -> dict[str, Any]:
    """Counts of one loader, and the growth of this process in MiB."""
    before = _resident()
    outcome = fuzz(LOADERS[index], mutations)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"loader": LOADERS[index].name, **asdict(outcome), "mib": max(0.0, peak - before)}


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / (1 << 20)


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="100 mutations of each loader")
    parser.add_argument("--mutations", type=int, default=5_000, help="of each loader (5,000)")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in LOADERS], metavar="NAME")
    arguments = parser.parse_args(argv)
    mutations = 100 if arguments.quick else arguments.mutations
    chosen = [i for i, one in enumerate(LOADERS) if one.name in (arguments.only or (one.name,))]
    rows = []
    for index in chosen:
        with multiprocessing.get_context("fork").Pool(1) as pool:
            rows.append(pool.apply(measure, (index, mutations)))
    cells = ([row[key] for key in KEYS] for row in rows)
    make_console().print(make_table("loaders on mutated files", COLUMNS, cells, left=("loader",)))
    write_json(arguments.json, rows)
    for row in rows:
        for failure in row["failures"][:5]:
            print(f"{row['loader']}: {failure}")
    sys.exit(any(row["failures"] for row in rows))


if __name__ == "__main__":
    main()
