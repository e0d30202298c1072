"""CIFAR-10: float and spiking accuracy of ResNet-20 and MLPerf Tiny's ResNet-8, no training.

    python -m benchmarks.cifar10 [--json FILE] [--quick] [--samples N] [--network resnet20]

Takes the trained weights of HWGEN_DATA, converts them on training images (no labels, no gradients)
and runs the golden model on the test images, which nothing else sees. Rows "best" and "fast" have
no option but the number of timesteps, of every layer; the input has 8, one per bit of a pixel.
"as published" is SpikeConverter without what hwgen adds.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import nn

from benchmarks import cifar_models
from benchmarks.command import make_console, make_parser, write_json
from benchmarks.figures import golden_figures, percent_right
from benchmarks.table import make_table
from hwgen import golden
from hwgen.conversion import convert
from hwgen.conversion.frontend.float_model import float_classes
from hwgen.datasets import Dataset
from hwgen.network import Network

PUBLISHED_WAY: dict[str, Any] = {
    "error": "absolute",
    "channel_scales": False,
    "bias_correction": "none",
    "rounding": "nearest",
}
TITLES = {"resnet20": "ResNet-20", "resnet8": "MLPerf Tiny ResNet-8"}
NORMALISATIONS: dict[str, dict[str, Any]] = {
    "resnet20": {"mean": cifar_models.MEAN, "std": cifar_models.STD},
    "resnet8": {"scale": 1.0},  # raw pixels
}
# Minimum accuracy by network and timesteps; no options, 8-bit weights, 10,000 test images.
TARGETS = {
    "resnet20": {8: 91.65, 5: 91.6, 4: 91.2, 3: 90.7, 2: 87.0},
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
    """One conversion; ``way`` is "best" or "fast", the effort, or "as published"."""

    network: str
    timesteps: int
    weight_bits: int = 8
    way: str = "best"

    @property
    def options(self) -> dict[str, Any]:
        if self.way == "as published":
            steps = {"layer_timesteps": {"input": self.timesteps}}
            return PUBLISHED_WAY | steps | {"effort": "fast"}
        return {"effort": self.way}


def cases(name: str) -> Iterable[Case]:
    for timesteps in (8, 5, 4, 3, 2):
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
        timesteps=case.timesteps,
        weight_bits=case.weight_bits,
        name=f"cifar10_{case.network}",
        **NORMALISATIONS[case.network],
        **case.options,
    )


def measure(case: Case, model: nn.Module, training: Dataset, test: Dataset) -> dict[str, Any]:
    """Accuracy in per cent over all of ``test``; spikes and operations per image."""
    started = time.monotonic()
    network = converted(case, model, training)
    conversion_s = time.monotonic() - started
    figures = golden_figures(network, golden.run(network, test.images), test)
    return {
        "network": case.network,
        "timesteps": case.timesteps,
        "input_timesteps": network.input.timesteps,
        "weight_bits": case.weight_bits,
        "options": case.options,
        "way": case.way,
        "rounding": network.provenance["options"]["rounding"],
        "held_out_agreement": network.provenance["fidelity"]["agreement"],
        "signal_to_error_db": network.provenance["fidelity"]["signal_to_error"],
        **figures,
        "accuracy": round(figures["accuracy"], 4),
        "conversion_s": round(conversion_s, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seconds": round(time.monotonic() - started, 1),
    }


def run(names: list[str], *, samples: int, quick: bool, console: Console) -> list[dict[str, Any]]:
    """Rows of the table."""
    training, test = cifar_models.images()
    test = test.take(samples)
    rows = []
    with Progress(console=console, transient=True) as progress:
        for name in names:
            model = getattr(cifar_models, name)()
            classes = float_classes(model, test.images, **NORMALISATIONS[name])
            floats = percent_right(classes, test.labels)
            chosen = [Case(name, 8), Case(name, 4)] if quick else list(cases(name))
            task = progress.add_task(name, total=len(chosen))
            for case in chosen:
                what = f"{name}: T = {case.timesteps}, {case.weight_bits}-bit weights"
                progress.update(task, description=what)
                row = measure(case, model, training, test)
                row |= {
                    "float_accuracy": round(floats, 4),
                    "loss": round(floats - row["accuracy"], 4),
                }
                rows.append(row)
                console.print(f"{what}, {case.way}: {row['accuracy']:.2f} %")
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
        f"CIFAR-10, {rows[0]['samples']:,} test images, no training",
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
            row["way"],
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
    options = parser.parse_args(argv)
    console = make_console()
    started = time.monotonic()
    samples = min(options.samples, 1_000) if options.quick else options.samples
    names = options.network or list(TITLES)
    rows = run(names, samples=samples, quick=options.quick, console=console)
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
