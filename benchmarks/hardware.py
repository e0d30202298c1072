"""The MNIST networks as hardware: bit-exact simulation, cycles, and place and route.

    python -m benchmarks.hardware [--json FILE] [--quick] [--build] [--network mlp] [--cache FOLDER]

Each network is trained (or taken from the cache), converted, generated, and simulated on test
images; measured cycles stand beside the cycle model's. With --build, those that have a board are
placed and routed on it, and results per second are those of the routed clock.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")
# cocotb and Verilator start `python` by name.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import models
from benchmarks.mnist import Steps, accuracy_row, converted
from hwgen import golden
from hwgen.datasets.images import Dataset
from hwgen.generation.generator import generate
from hwgen.network import Network
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.simulation import simulate
from hwgen.synthesis.flow import build as place_and_route

BOARD = "ulx3s-85f"
PUBLISHED = (
    ("Spiker+ 784-128-10 (Zynq-7020)", "93.85", "780 µs a digit, 7,612 logic cells"),
    ("FINN TFC-w2a2 (AUP-ZU3)", "96.60", "1.19 M results/s"),
    ("DeepFire, a CNN", "99.14", "40.1 k results/s"),
    ("Sommer et al., a CNN (333 MHz)", "", "21 k results/s"),
)


@dataclass(frozen=True)
class Case:
    """A network, its hardware options, and the samples for each simulator."""

    model: str
    steps: Steps
    samples: int
    icarus: int = 0
    board: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.model}, T = {self.steps[0]}, input T = {self.steps[1]}"


# As few scanners as keep a layer's interval below that of the slowest part, the pixels' way in.
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
    """One row for each simulator; ``accuracies`` is what the row says of the whole test set."""
    design = generate(network, board=case.board, **case.options)
    design.write(folder)
    images = test.images[: case.samples]
    placed: dict[str, Any] = {}
    if build and case.board:
        routed = place_and_route(folder)
        placed = {
            "board": case.board,
            "fmax_mhz": round(routed.fmax_mhz, 2),
            **{key: routed.utilisation[key][0] for key in ("lut4", "ff", "block_ram")},
        }
    rows = []
    for simulator, samples in (("verilator", case.samples), ("icarus", case.icarus)):
        if not samples or (simulator == "icarus" and shutil.which("iverilog") is None):
            continue
        report = simulate(folder, images, samples=samples, simulator=simulator)
        operations = golden.run(network, images[:samples]).synaptic_operations
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
            "latency_cycles": report.latency_cycles,
            "interval_cycles": report.interval_cycles,
            "predicted_latency_cycles": report.predicted_latency_cycles,
            "predicted_interval_cycles": report.predicted_interval_cycles,
            # Of the layer that uses its adders best: the others wait for it.
            "lane_utilisation": max(
                float(operations[layer.node].mean())
                / (report.interval_cycles * layer.lanes * layer.scanners)
                for layer in design.plan.layers
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--quick", action="store_true", help="two networks, few samples")
    parser.add_argument("--build", action="store_true", help="place and route, many minutes each")
    parser.add_argument("--network", choices=models.RECIPES, help="this one alone")
    parser.add_argument("--cache", type=Path, help="folder of trained weights")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the builds there")
    arguments = parser.parse_args()
    data = os.environ.get("HWGEN_DATA")
    if not data:
        sys.exit("set HWGEN_DATA to the folder with mnist_train.npz and mnist_test.npz")
    training, test = models.mnist(Path(data))
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
            if arguments.json:  # after each case: the whole takes many minutes
                arguments.json.parent.mkdir(parents=True, exist_ok=True)
                text = json.dumps({"rows": rows}, indent=1)
                arguments.json.write_text(text + "\n", encoding="utf-8")
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
        "a kLUT": "results_per_second_per_klut",
    }
    table = Table(title="MNIST as hardware")
    for title in columns:
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(*(_text(row.get(key)) for key in columns.values()))
    console = Console(width=220)
    console.print(table)
    published = Table("published", "%", "speed", title="For comparison")
    for row in PUBLISHED:
        published.add_row(*row)
    console.print(published)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return " ".join(map(str, value.values()))
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
