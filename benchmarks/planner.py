"""The planner on 20 targets of each CIFAR-10 network: LUT4, block RAM and time of each plan.

    python -m benchmarks.planner [--json FILE] [--quick] [--network resnet20]

Cycles per sample from the fewest that fit an ECP5-85F to eight times as many, in equal ratios.
The network is converted with ``--effort fast``. Every plan gets the cycles of the exact model too.
Exits with 1 where a plan for more cycles needs more LUT4.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks import cifar10, cifar_models
from benchmarks.command import make_parser, write_json
from benchmarks.figures import BOARD
from benchmarks.table import records_table
from hwgen import boards
from hwgen.generation.generator import CycleModel
from hwgen.plan.search.planned_design import Budget, PlannedDesign
from hwgen.plan.search.planner import Planner
from hwgen.plan.search.program import GAP
from hwgen.plan.search.target import Target
from hwgen.plan.units.options import PlanOptions

CASES = (
    cifar10.Case("resnet20", 4, weight_bits=6, way="fast"),
    cifar10.Case("resnet8", 5, weight_bits=8, way="fast"),
)
TARGETS, RANGE = 20, 8.0


def measure(case: cifar10.Case, budget: Budget, *, targets: int) -> list[dict[str, Any]]:
    """Rows of one network, from the slowest plan to the fastest."""
    training, _ = cifar_models.images()
    network = cifar10.converted(case, getattr(cifar_models, case.network)(), training)
    model = CycleModel(network)
    planner = Planner(network, model.trains, options=PlanOptions(counters=False))

    def row(cycles: float, planned: PlannedDesign, started: float) -> dict[str, Any]:
        seconds = time.process_time() - started
        return {
            "network": case.network,
            "cycles_asked": round(cycles),
            "cycles": round(planned.interval),
            "exact_cycles": model.interval(planned.plan),
            "limited_by": planned.bottleneck,
            "lut4": round(planned.total.lut4),
            "block_ram": planned.total.block_rams,
            "flip_flops": round(planned.total.ff),
            "seconds": round(seconds, 1),
        }

    started = time.process_time()
    fastest = planner.fewest_cycles(budget)
    rows = [row(fastest.interval, fastest, started)]
    for number in range(1, targets):
        cycles = fastest.interval * RANGE ** (number / max(1, targets - 1))
        started = time.process_time()
        rows.append(row(cycles, planner.for_cycles(cycles, budget), started))
    return rows[::-1]


def larger(rows: list[dict[str, Any]]) -> list[str]:
    """Plans that are slower than another one of the network and yet need more LUT4."""
    return [
        f"{slow['network']}: {slow['lut4']:,} LUT4 for {slow['cycles_asked']:,} cycles, and "
        f"{fast['lut4']:,} for {fast['cycles_asked']:,}"
        for number, slow in enumerate(rows)
        for fast in rows[number + 1 :]
        if fast["network"] == slow["network"] and slow["lut4"] > fast["lut4"] * (1 + GAP) + 1
    ]


def main(argv: list[str] | None = None) -> int:
    parser = make_parser(__doc__, quick="four targets of ResNet-8")
    parser.add_argument("--network", choices=sorted(cifar10.TITLES), help="only this one")
    arguments = parser.parse_args(argv)
    board = boards.load(BOARD)
    budget = Target(board=board).budget(board)
    cases = [c for c in CASES if arguments.network in (None, c.network)]
    rows: list[dict[str, Any]] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(cases))
        for case in cases[-1:] if arguments.quick else cases:
            progress.update(task, description=cifar10.TITLES[case.network])
            rows += measure(case, budget, targets=4 if arguments.quick else TARGETS)
            write_json(arguments.json, rows)
            progress.advance(task)
    console = Console(width=160)
    console.print(records_table(f"Plans for {BOARD}", rows))
    for line in (wrong := larger(rows)):
        console.print(f"not monotonic: {line}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
