"""ResNet-20 and MLPerf Tiny ResNet-8 as hardware: bit-exact simulation, memories, clock.

    python -m benchmarks.cifar10_hardware [--json FILE] [--quick] [--network resnet20]
                                          [--build [--tries 3]] [--schedules]

Each network is converted (see cifar10.py), planned for its board and rate, and simulated on whole
test images back to back. Every stream is compared with golden; the table shows measured and
predicted cycles. --build places and routes the networks and gives results per second at the routed
clock. --schedules simulates one image in the schedules `row` and `time` on the same lanes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks import cifar10, cifar_models
from benchmarks.command import make_parser, write_json
from benchmarks.figures import BOARD, cycles, lane_utilisation, percent_right, routed_resources
from benchmarks.table import transposed_table
from hwgen import Build, golden
from hwgen.boards import Resource
from hwgen.datasets import Dataset
from hwgen.errors import HwgenError
from hwgen.generation.generator import generate
from hwgen.network import Network
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.rtl.names import identifier

PUBLISHED = (
    ("nn2fpga, INT8 ResNet-20, KV260", "91.3", "7,601 results/s, 0.318 ms"),
    ("nn2fpga, INT8 ResNet-20, Ultra96", "91.3", "3,254 results/s"),
    ("nn2fpga, INT8 ResNet-8, KV260", "88.7", "30,153 results/s"),
    ("nn2fpga, INT8 ResNet-8, Ultra96", "88.7", "12,971 results/s"),
    ("SpikeConverter, ResNet-20, T = 16", "91.47", "software"),
)


@dataclass(frozen=True)
class Case:
    """A conversion, its target rate at ``clock_mhz``, and the number of images to simulate."""

    network: cifar10.Case
    target_fps: float
    clock_mhz: float
    samples: int


CASES = (
    Case(cifar10.Case("resnet20", 4, weight_bits=6), 1100, 100, 3),
    Case(cifar10.Case("resnet8", 5), 2000, 100, 10),
)


def memories(plan: HardwarePlan) -> dict[str, int]:
    """Bits of membranes, of skip buffers, and of all other window buffers."""
    membranes = windows = skips = 0
    for layer in plan.layers:
        membranes += (
            layer.banks * layer.membrane_depth * layer.membrane_lanes * layer.membrane_width
        )
        sizes = [path.window.depth * path.window.chunk_width for path in layer.paths]
        windows += sizes[0]
        skips += sum(sizes[1:])
    return {"membrane_bits": membranes, "skip_bits": skips, "window_bits": windows}


def simulated(build: Build, network: Network, test: Dataset, samples: int) -> dict[str, Any]:
    """Measured and predicted cycles of ``samples`` test images, all streams compared."""
    start = time.perf_counter()
    report = build.simulate(test.images, labels=test.labels, samples=samples)
    if not report.bit_exact:
        raise SystemExit(f"{network.name}: {report.difference}")
    return {
        "bit_exact_samples": samples,
        **cycles(report),
        "simulation_seconds": round(time.perf_counter() - start, 1),
    }


def schedules(network: Network, test: Dataset, options: dict[str, Any]) -> list[dict[str, Any]]:
    """Figures of one image in each schedule, on the same lanes."""
    rows = []
    for schedule in ("row", "time"):
        with tempfile.TemporaryDirectory() as temporary:
            design = generate(network, schedule=schedule, counters=False, **options)
            row = simulated(design.write(Path(temporary) / "build"), network, test, 1)
        rows.append({"network": network.name, "schedule": schedule, **memories(design.plan), **row})
    return rows


def routed(build: Build, tries: int) -> dict[str, Any]:
    """Fmax and resources, or the reason why there are none."""
    try:
        report = build.place_and_route(tries=tries)
    except HwgenError as error:
        return {"not_routed": str(error)}
    return {
        "fmax_mhz": round(report.fmax_mhz, 2),
        "seed": report.seed,
        **routed_resources(report),
        **estimates(build, report.units),
        "build_seconds": {
            "synthesis": report.synthesis_seconds,
            "place": report.place_seconds,
        },
    }


def estimates(build: Build, units: Mapping[str, Mapping[Resource, int]]) -> dict[str, Any]:
    """LUT4 and block RAM, planned and of yosys' ``units``; the largest difference of a layer."""
    expected = build.manifest.expected
    assert expected is not None
    core = [used for unit, used in units.items() if unit != "shell"]
    off = (
        100 * abs(layer.lut4 / units[f"core.{identifier(name)}"][Resource.LUT4] - 1)
        for name, layer in expected.units.items()
        if name
    )
    return {
        "lut4_expected": expected.lut4,
        "lut4_yosys": sum(used.get(Resource.LUT4, 0) for used in core),
        "block_ram_expected": expected.block_ram,
        "block_ram_yosys": sum(used.get(Resource.BLOCK_RAM, 0) for used in core),
        "layer_lut4_off_percent": round(max(off), 1),
    }


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="one image, one schedule")
    parser.add_argument("--network", choices=sorted(cifar10.TITLES), help="only this one")
    parser.add_argument("--build", action="store_true", help="place and route")
    parser.add_argument("--tries", type=int, default=3, help="seeds, until one meets the clock")
    parser.add_argument("--schedules", action="store_true", help="`row` beside `time`")
    parser.add_argument("--folder", type=Path, help="keep the build folders here")
    arguments = parser.parse_args(argv)
    training, test = cifar_models.images()
    rows: list[dict[str, Any]] = []
    compared: list[dict[str, Any]] = []
    with (
        Progress(console=Console(stderr=True)) as progress,
        tempfile.TemporaryDirectory() as temporary,
    ):
        cases = [c for c in CASES if arguments.network in (None, c.network.network)]
        task = progress.add_task("", total=len(cases))
        for case in cases:
            name = case.network.network
            progress.update(task, description=f"{name}: conversion")
            model = getattr(cifar_models, name)()
            network = cifar10.converted(case.network, model, training)
            progress.update(task, description=f"{name}: hardware")
            design = generate(
                network,
                board=BOARD,
                target_fps=case.target_fps,
                clock_mhz=case.clock_mhz,
                counters=False,
            )
            build = design.write((arguments.folder or Path(temporary)) / name)
            samples = 1 if arguments.quick else case.samples
            row = {
                "network": name,
                "timesteps": case.network.timesteps,
                "weight_bits": case.network.weight_bits,
                "lanes": sum(layer.lanes * layer.scanners for layer in design.plan.layers),
                **memories(design.plan),
                **simulated(build, network, test, samples),
            }
            interval = row["interval_cycles"] or row["latency_cycles"]
            # The interval lies between results, so the first of several images is not in it.
            images = test.images[min(1, samples - 1) : samples]
            row["lane_utilisation"] = lane_utilisation(network, design.plan, images, interval)
            if not arguments.quick:
                classes = golden.run(network, test.images).classes
                row["accuracy"] = round(percent_right(classes, test.labels), 2)
            if arguments.build:
                progress.update(task, description=f"{name}: place and route")
                row |= routed(build, arguments.tries)
            if "fmax_mhz" in row:
                row["results_per_second"] = round(row["fmax_mhz"] * 1e6 / interval)
                row["latency_ms"] = round(row["latency_cycles"] / row["fmax_mhz"] / 1e3, 3)
            rows.append(row)
            if arguments.schedules:
                progress.update(task, description=f"{name}: schedules")
                compared += schedules(network, test, {})
            # After each network: the whole takes long
            write_json(arguments.json, {"rows": rows, "schedules": compared})
            progress.advance(task)
    console = Console(width=200)
    console.print(transposed_table("CIFAR-10 as hardware", rows))
    if compared:
        console.print(transposed_table("One image, same lanes", compared))
    for title, accuracy, speed in PUBLISHED:
        console.print(f"Published: {title}: {accuracy and accuracy + ' %, '}{speed}")


if __name__ == "__main__":
    main()
