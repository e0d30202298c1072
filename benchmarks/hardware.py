"""The MNIST networks as hardware: bit-exact simulation, cycles, and place and route.

    python -m benchmarks.hardware [--json FILE] [--quick] [--build] [--network mlp] [--cache FOLDER]

Each network is trained (or taken from the cache), converted, generated, and simulated on test
images; the table shows measured and predicted cycles. --build places and routes the networks that
name a board and gives results per second at the routed clock.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks import models
from benchmarks.command import make_parser, write_json
from benchmarks.figures import BOARD, cycles, lane_utilisation, routed_resources
from benchmarks.mnist import Steps, accuracy_row, converted
from benchmarks.table import make_table
from hwgen.datasets import Dataset
from hwgen.generation.generator import generate
from hwgen.network import Network
from hwgen.plan.units.hardware_plan import HardwarePlan

PUBLISHED = (
    ("Spiker+ 784-128-10 (Zynq-7020)", "93.85", "780 µs a digit, 7,612 logic cells"),
    ("DWN (AMD FPGA), an MLP", "98.30", "4,082 LUT6 without its input encoder"),
    ("DeepFire (AMD 7-series), a CNN", "99.14", "40.1 k results/s"),
    ("Sommer et al., a CNN (333 MHz)", "", "21 k results/s"),
)


@dataclass(frozen=True)
class Case:
    """A network, its hardware options, and the number of samples for each simulator."""

    model: str
    steps: Steps
    samples: int
    icarus: int = 0
    board: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.model}, T = {self.steps[0]}, input T = {self.steps[1]}"


# The fewest scanners with which no layer is slower than the pixel input.
FAST_MLP = {"lanes": {"fc1": 128, "fc2": 10}, "scanners": {"fc1": 4, "fc2": 2}, "input_width": 256}
FAST_CNN = {
    "lanes": {"conv1": 16, "conv2": 32, "conv3": 64, "fc": 10},
    "scanners": {"conv1": 1, "conv2": 2, "conv3": 1, "fc": 1},
}
CASES = (
    Case("mlp", (2, 2), 200, board=BOARD, options=FAST_MLP),
    Case("mlp", (2, 1), 200, board=BOARD, options=FAST_MLP),
    Case("strided", (2, 2), 20, icarus=3, board=BOARD, options=FAST_CNN),
    Case("mlp", (4, 4), 200, options={"lanes": 128}),
    Case("mlp", (4, 4), 200, options={"lanes": 128, "pipeline": "alternate"}),
    Case("mlp", (4, 4), 200, options={"lanes": 32, "scanners": 4}),
    Case("cnn", (4, 4), 20),
    Case("cnn", (4, 4), 20, options={"schedule": "time"}),
    Case("cnn", (4, 4), 20, options={"pipeline": "alternate"}),
    Case("cnn", (8, 8), 20),
)
QUICK = (
    Case("mlp", (2, 2), 20, options=FAST_MLP),
    Case("strided", (2, 2), 2, options=FAST_CNN),
)


def rows_of(
    case: Case,
    network: Network,
    accuracies: dict[str, Any],
    test: Dataset,
    folder: Path,
    *,
    build: bool,
) -> list[dict[str, Any]]:
    """One row for each simulator; ``accuracies`` are the row's figures for the whole test set."""
    design = generate(network, board=case.board, **case.options)
    built = design.write(folder)
    images = test.images[: case.samples]
    placed: dict[str, Any] = {}
    if build and case.board:
        routed = built.place_and_route()
        placed = {
            "board": case.board,
            "fmax_mhz": round(routed.fmax_mhz, 2),
            **routed_resources(routed),
        }
    rows = []
    for simulator, samples in (("verilator", case.samples), ("icarus", case.icarus)):
        if not samples or (simulator == "icarus" and shutil.which("iverilog") is None):
            continue
        report = built.simulate(images, samples=samples, simulator=simulator)
        assert report.interval_cycles is not None
        row = accuracies | {
            "schedule": design.plan.schedule,
            "pipeline": design.plan.pipeline,
            "input_width": design.plan.encoder.input_width,
            "lanes": _each(design.plan, "lanes"),
            "scanners": _each(design.plan, "scanners"),
            "membrane_lanes": _each(design.plan, "membrane_lanes"),
            "samples": samples,
            "simulator": simulator,
            "bit_exact_samples": samples if report.bit_exact else 0,
            **cycles(report),
            "lane_utilisation": lane_utilisation(
                network, design.plan, images[:samples], report.interval_cycles
            ),
            **placed,
        }
        if placed:
            rate = placed["fmax_mhz"] * 1e6 / report.interval_cycles
            row["results_per_second"] = round(rate)
            row["results_per_second_per_klut"] = round(1000 * rate / placed["lut4"])
        rows.append(row)
    return rows


def _each(plan: HardwarePlan, option: str) -> dict[str, int]:
    return {layer.node: getattr(layer, option) for layer in plan.layers}


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="two networks, few samples", cache=True)
    parser.add_argument("--build", action="store_true", help="place and route, many minutes each")
    parser.add_argument("--network", choices=models.RECIPES, help="this one alone")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the builds there")
    arguments = parser.parse_args(argv)
    training, test = models.mnist()
    cases = [
        case
        for case in (QUICK if arguments.quick else CASES)
        if arguments.network in (None, case.model)
    ]
    rows: list[dict[str, Any]] = []
    with (
        Progress(console=Console(stderr=True)) as progress,
        tempfile.TemporaryDirectory() as temporary,
    ):
        task = progress.add_task("", total=len(cases))
        for number, case in enumerate(cases):
            progress.update(task, description=f"{case}: training")
            model = models.train(case.model, training, cache=arguments.cache)
            progress.update(task, description=f"{case}: conversion")
            network = converted(case.model, model, training, case.steps)
            accuracies = accuracy_row(case.model, network, test, models.float_accuracy(model, test))
            progress.update(task, description=f"{case}: hardware")
            folder = (arguments.keep or Path(temporary)) / f"{case.model}{number}"
            rows += rows_of(case, network, accuracies, test, folder, build=arguments.build)
            # After each case: the whole takes many minutes
            write_json(arguments.json, {"rows": rows})
            progress.advance(task)
    print_table(rows)


def print_table(rows: list[dict[str, Any]]) -> None:
    columns = {
        "network": "network",
        "T": "timesteps",
        "input T": "input_timesteps",
        "schedule": "schedule",
        "pipeline": "pipeline",
        "lanes": "lanes",
        "scanners": "scanners",
        "%": "accuracy",
        "simulator": "simulator",
        "bit-exact": "bit_exact_samples",
        "latency": "latency_cycles",
        "predicted": "predicted_latency_cycles",
        "interval": "interval_cycles",
        "predicted ": "predicted_interval_cycles",
        "lanes used": "lane_utilisation",
        "MHz": "fmax_mhz",
        "LUT4": "lut4",
        "block RAM": "block_ram",
        "results/s": "results_per_second",
        "per kLUT": "results_per_second_per_klut",
    }
    console = Console(width=220)
    cells = ([row.get(key) for key in columns.values()] for row in rows)
    console.print(make_table("MNIST as hardware", columns, cells))
    published = ("published", "%", "speed")
    console.print(make_table("For comparison", published, PUBLISHED, left=published))


if __name__ == "__main__":
    main()
