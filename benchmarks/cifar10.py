"""CIFAR-10: float and spiking accuracy of ResNet-20 and MLPerf Tiny's ResNet-8, without labels.

    python -m benchmarks.cifar10 [--json FILE] [--quick] [--samples N] [--network resnet20]
                                 [--way best] [--timesteps 4]

Takes the trained weights of HWGEN_DATA, converts them on training images (no labels) and runs the
golden model on the test images, which nothing else sees. Rows "best" and "fast" have no option but
the number of timesteps, of every layer or on average; the input has 8, one per bit of a pixel.
"nearest", "fitted" and "trained" force one of the ways that "best" chooses from; "as published" is
SpikeConverter without what hwgen adds. Each row has a process of its own, whose memory is measured.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import nn

from benchmarks import cifar_models, method_cases
from benchmarks.command import make_console, make_parser, write_json
from benchmarks.figures import golden_figures, percent_right
from benchmarks.table import make_table
from hwgen import golden
from hwgen.conversion import Finetuning, convert
from hwgen.conversion.frontend.float_model import float_classes
from hwgen.datasets import Dataset
from hwgen.network import Network

EPOCHS = 4  # of "trained", as many as "best" takes
TITLES = {"resnet20": "ResNet-20", "resnet8": "MLPerf Tiny ResNet-8"}
NORMALISATIONS: dict[str, dict[str, Any]] = {
    "resnet20": {"mean": cifar_models.MEAN, "std": cifar_models.STD},
    "resnet8": {"scale": 1.0},  # raw pixels
}
# Minimum accuracy by network and timesteps; no options, 8-bit weights, 10,000 test images.
TARGETS: dict[str, dict[float, float]] = {
    "resnet20": {8: 91.65, 5: 91.6, 4: 91.2, 3: 90.7, 2.5: 89.5, 2: 87.0},
    "resnet8": {8: 87.05, 5: 86.9},
}
PUBLISHED = (
    ("SpikeConverter (AAAI 2022), ResNet-20", "T = 16", "91.47", "no training; float 91.47"),
    ("QCFS (ICLR 2022), ResNet-20", "T = 8", "89.55", "with training"),
    ("QCFS (ICLR 2022), ResNet-20", "T = 4", "83.75", "with training"),
    ("SpikingJelly ann2snn, these ResNet-20 weights", "T = 64", "88", "500 images"),
    ("SpikingJelly ann2snn, these ResNet-20 weights", "T = 8", "8.6", "500 images"),
    ("nn2fpga (IEEE TCAD 2025), ResNet-20", "8 bits", "91.3", "trained quantised"),
)


@dataclass(frozen=True)
class Case:
    """One conversion in one of WAYS; ``timesteps`` that are not an integer are a mean."""

    network: str
    timesteps: float
    weight_bits: int = 8
    way: str = "best"

    @property
    def steps(self) -> dict[str, Any]:
        if self.timesteps % 1:
            return {"mean_timesteps": self.timesteps}
        return {"timesteps": int(self.timesteps)}

    @property
    def options(self) -> dict[str, Any]:
        published = self.way == "as published"
        return self.steps | (
            method_cases.published(int(self.timesteps)) if published else _OPTIONS[self.way]
        )


_OPTIONS: dict[str, dict[str, Any]] = {
    "best": {"effort": "best"},
    "fast": {"effort": "fast"},
    "nearest": {"rounding": "nearest", "effort": "fast"},
    "fitted": {"rounding": "fitted", "effort": "fast", "calibration_images": 3000},
    "trained": {"finetuning": Finetuning(epochs=EPOCHS), "effort": "fast"},
}
WAYS = (*_OPTIONS, "as published")


def cases(name: str) -> Iterable[Case]:
    for timesteps in (8, 5, 4, 3, 2.5, 2):
        for way in ("best", "fast"):
            yield Case(name, timesteps, way=way)
    for timesteps in (8, 4):
        yield Case(name, timesteps, way="as published")
        for bits in (6, 4):
            yield Case(name, timesteps, bits)


def converted(case: Case, model: nn.Module, training: Dataset) -> Network:
    """``model`` as the benchmark converts it, with iLIF neurons."""
    return convert(
        model,
        training.images,
        weight_bits=case.weight_bits,
        name=f"cifar10_{case.network}",
        **NORMALISATIONS[case.network],
        **case.options,
    )


def measure(case: Case, samples: int) -> dict[str, Any]:
    """Accuracy in per cent over ``samples`` test images; spikes and operations per image."""
    training, test = cifar_models.images()
    test, model = test.take(samples), getattr(cifar_models, case.network)()
    classes = float_classes(model, test.images, **NORMALISATIONS[case.network])
    floats = percent_right(classes, test.labels)
    started = time.monotonic()
    network = converted(case, model, training)
    conversion_s = time.monotonic() - started
    figures = golden_figures(network, golden.run(network, test.images), test)
    provenance: dict[str, Any] = dict(network.provenance)
    trials: list[dict[str, Any]] = provenance.get("trials", [])
    return {
        "network": case.network,
        "timesteps": case.timesteps,
        "input_timesteps": network.input.timesteps,
        "weight_bits": case.weight_bits,
        "way": case.way,
        "taken": trials[0]["name"] if trials else "",
        "trials": trials,
        "held_out_agreement": provenance["fidelity"]["agreement"],
        "signal_to_error_db": provenance["fidelity"]["signal_to_error"],
        **figures,
        "accuracy": round(figures["accuracy"], 4),
        "float_accuracy": round(floats, 4),
        "loss": round(floats - figures["accuracy"], 4),
        "conversion_s": round(conversion_s, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seconds": round(time.monotonic() - started, 1),
    }


def run(chosen: list[Case], *, samples: int, console: Console) -> list[dict[str, Any]]:
    """Rows of the table."""
    rows = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=len(chosen))
        for case in chosen:
            what = f"{case.network}: T = {case.timesteps}, {case.weight_bits}-bit weights"
            progress.update(task, description=what)
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                row = process.submit(measure, case, samples).result()
            rows.append(row)
            console.print(f"{what}, {case.way}: {row['accuracy']:.2f} %, {row['conversion_s']} s")
            progress.advance(task)
    return rows


def target(row: dict[str, Any]) -> float | None:
    """Minimum accuracy of a row, if it has one."""
    if row["weight_bits"] != 8 or row["way"] != "best":
        return None
    return TARGETS[row["network"]].get(row["timesteps"])


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """Targets that the rows miss."""
    return [
        f"{row['network']} at T = {row['timesteps']}: {row['accuracy']:.2f} < {wanted}"
        for row in rows
        if (wanted := target(row)) is not None and row["accuracy"] < wanted
    ]


def table(rows: list[dict[str, Any]]) -> Table:
    made = make_table(
        f"CIFAR-10, {rows[0]['samples']:,} test images, no labels",
        ("network", "weights", "T", "way", "float %", "spiking %", "loss", "target",
         "dB held out", "spikes / neuron", "synaptic operations", "s", "MB"),
        left=("network", "way"),
    )  # fmt: skip
    for row in rows:
        wanted = target(row)
        made.add_row(
            TITLES[row["network"]],
            f"{row['weight_bits']} bits",
            str(row["timesteps"]),
            f"{row['way']}{row['taken'] and ': ' + row['taken']}",
            f"{row['float_accuracy']:.2f}",
            f"{row['accuracy']:.2f}",
            f"{row['loss']:+.2f}",
            "" if wanted is None else f"≥ {wanted}",
            f"{row['signal_to_error_db']:.1f}",
            f"{row['spikes_per_neuron']:.3f}",
            f"{row['synaptic_operations']:,.0f}",
            f"{row['conversion_s']:.0f}",
            f"{row['peak_mb']:,}",
        )
    return made


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="1,000 test images, two rows each", samples=10_000)
    parser.add_argument("--network", choices=tuple(TITLES), action="append", help="only this one")
    parser.add_argument("--way", choices=WAYS, action="append", help="only this one, at 8 bits")
    parser.add_argument("--timesteps", type=float, action="append", help="only these")
    options = parser.parse_args(argv)
    console = make_console()
    started = time.monotonic()
    samples = min(options.samples, 1_000) if options.quick else options.samples
    names = options.network or list(TITLES)
    chosen = [case for name in names for case in cases(name)]
    if options.quick:
        chosen = [Case(name, timesteps) for name in names for timesteps in (8, 4)]
    if options.way or options.timesteps:
        steps, ways = options.timesteps or (8, 5, 4, 3, 2), options.way or ("best", "fast")
        chosen = [Case(name, t, way=way) for name in names for t in steps for way in ways]
    rows = run(chosen, samples=samples, console=console)
    console.print(table(rows))
    columns = ("work", "", "accuracy %", "how")
    console.print(make_table("Published, CIFAR-10", columns, PUBLISHED, left=columns))
    if samples >= 10_000:
        failures = missed(rows)
        console.print("targets missed: " + "; ".join(failures) if failures else "all targets met")
    console.print(f"{time.monotonic() - started:.0f} s")
    write_json(options.json, {"rows": rows})


if __name__ == "__main__":
    main()
