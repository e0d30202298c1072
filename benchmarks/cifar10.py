"""CIFAR-10: float and spiking accuracy of ResNet-20 and MLPerf Tiny's ResNet-8, no training.

    python -m benchmarks.cifar10 [--json FILE] [--quick] [--samples N] [--network resnet20]

Takes the trained weights of HWGEN_DATA, converts them on 1,000 to 3,000 training images (no labels,
no gradients) and runs the golden model on the test images, which are seen by nothing else. T is the
length of every layer's trains; the input's are 8 steps, all of a pixel, whatever T is, unless a row
says otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import nn

from benchmarks import cifar_models
from hwgen import golden
from hwgen.conversion import convert
from hwgen.conversion.frontend.float_model import float_classes
from hwgen.datasets import images as data
from hwgen.datasets.images import Dataset
from hwgen.network import Network

# Closed-form calibration on what the layers give. Scales and biases, one a channel, are enough for
# trains of 5 steps or more and 8-bit weights; below, weights are fitted, too. ResNet-8 needs the
# fit at 8 bits: its 3×3 and 1×1 branches differ in size and share one scale of weights.
SCALED: dict[str, Any] = {"channel_scales": True, "error": "squared", "bias_correction": "mean"}
FITTED: dict[str, Any] = SCALED | {"rounding": "fitted", "calibration_images": 3000}
PIXEL_STEPS = {"input": 8}
TITLES = {"resnet20": "ResNet-20", "resnet8": "MLPerf Tiny ResNet-8"}
NORMALISATIONS: dict[str, dict[str, Any]] = {
    "resnet20": {"mean": cifar_models.MEAN, "std": cifar_models.STD},
    "resnet8": {"scale": 1.0},  # raw pixels
}
# Spiking accuracy at least, and loss at most, by timesteps; 8-bit weights, 10,000 test images.
ACCURACY_TARGETS = {("resnet20", 8): 91.65, ("resnet20", 5): 91.6, ("resnet20", 4): 91.2}
LOSS_TARGETS = {("resnet8", 8): 0.1, ("resnet8", 5): 0.3}
PUBLISHED = (
    ("SpikeConverter (AAAI 2022), ResNet-20", "T = 16", "91.47", "no training; float 91.47"),
    ("QCFS (ICLR 2022), ResNet-20", "T = 8", "89.55", "with training"),
    ("QCFS (ICLR 2022), ResNet-20", "T = 4", "83.75", "with training"),
    ("SpikingJelly ann2snn, these ResNet-20 weights", "T = 64", "88", "500 images"),
    ("SpikingJelly ann2snn, these ResNet-20 weights", "T = 8", "8.6", "500 images"),
    ("FINN CNV-w2a2 (AUP-ZU3, 3,031/s)", "2 bits", "88.63", "trained quantised"),
)


@dataclass(frozen=True)
class Case:
    """One conversion. ``plain`` has the converter's defaults instead of the calibration."""

    network: str
    timesteps: int
    weight_bits: int = 8
    plain: bool = False
    layers: dict[str, int] = field(default_factory=lambda: dict(PIXEL_STEPS))

    @property
    def options(self) -> dict[str, Any]:
        if self.plain:
            return {}
        fine = self.timesteps >= 5 and self.weight_bits >= 8
        return SCALED if fine and self.network == "resnet20" else FITTED

    @property
    def label(self) -> str:
        note = "defaults" if self.plain else ""
        if not self.layers:
            note = f"{note}, " * bool(note) + f"input of {self.timesteps} steps"
        return note


def cases(name: str) -> Iterable[Case]:
    for bits in (8, 6, 4):
        for timesteps in (8, 5, 4, 3):
            yield Case(name, timesteps, bits)
    yield Case(name, 4, layers={})
    for timesteps in (8, 4):
        yield Case(name, timesteps, plain=True)


def converted(case: Case, model: nn.Module, training: Dataset) -> Network:
    """The benchmark's conversion of ``model``: iLIF neurons."""
    return convert(
        model,
        training.images,
        timesteps=case.timesteps,
        weight_bits=case.weight_bits,
        layer_timesteps=case.layers,
        name=f"cifar10_{case.network}",
        **NORMALISATIONS[case.network],
        **case.options,
    )


def measure(case: Case, model: nn.Module, training: Dataset, test: Dataset) -> dict[str, Any]:
    """Accuracy in per cent over all of ``test``, and what an image costs."""
    assert test.labels is not None
    started = time.monotonic()
    network = converted(case, model, training)
    conversion_s = time.monotonic() - started
    result = golden.run(network, test.images)
    firing = [layer.name for layer in network.layers if layer.name in result.spikes]
    neurons = sum(result.neurons[layer] for layer in firing)
    spikes = sum(float(result.spikes[layer].mean()) for layer in firing)
    return {
        "network": case.network,
        "timesteps": case.timesteps,
        "input_timesteps": network.input.timesteps,
        "weight_bits": case.weight_bits,
        "options": case.options,
        "note": case.label,
        "samples": len(test),
        "accuracy": round(100 * float((result.classes == test.labels).mean()), 4),
        "spikes_per_neuron": spikes / neurons,
        "synaptic_operations": sum(
            float(operations.mean()) for operations in result.synaptic_operations.values()
        ),
        "conversion_s": round(conversion_s, 1),
        "seconds": round(time.monotonic() - started, 1),
    }


def run(
    names: list[str], *, samples: int, quick: bool, folder: Path, console: Console
) -> list[dict[str, Any]]:
    """The rows of the table."""
    training = data.load(folder / "cifar10_train_first10000.npz")
    test = data.load(folder / "cifar10_test.npz").take(samples)
    rows = []
    with Progress(console=console, transient=True) as progress:
        for name in names:
            model = getattr(cifar_models, name)(folder)
            classes = float_classes(model, test.images, **NORMALISATIONS[name])
            floats = 100 * float((classes == test.labels).mean())
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
                console.print(f"{what}, {case.label or 'calibrated'}: {row['accuracy']:.2f} %")
                progress.advance(task)
    return rows


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """Targets that the rows do not meet; they are for 8-bit weights, calibrated."""
    found = []
    for row in rows:
        key = row["network"], row["timesteps"]
        if row["weight_bits"] != 8 or row["note"]:
            continue
        if row["accuracy"] < ACCURACY_TARGETS.get(key, 0.0):
            found.append(f"{key}: {row['accuracy']:.2f} < {ACCURACY_TARGETS[key]}")
        if row["loss"] > LOSS_TARGETS.get(key, 100.0) + 1e-9:
            found.append(f"{key}: loss {row['loss']:.2f} > {LOSS_TARGETS[key]}")
    return found


def table(rows: list[dict[str, Any]]) -> Table:
    made = Table(title=f"CIFAR-10, {rows[0]['samples']:,} test images, no training")
    for column in ("network", "weights", "T", "float %", "spiking %", "loss", "target",
                   "spikes / neuron", "synaptic operations", "note"):  # fmt: skip
        made.add_column(column, justify="left" if column in ("network", "note") else "right")
    for row in rows:
        key = row["network"], row["timesteps"]
        target = f"≥ {ACCURACY_TARGETS[key]}" if key in ACCURACY_TARGETS else ""
        target = f"loss ≤ {LOSS_TARGETS[key]}" if key in LOSS_TARGETS else target
        made.add_row(
            TITLES[row["network"]],
            f"{row['weight_bits']} bits",
            str(row["timesteps"]),
            f"{row['float_accuracy']:.2f}",
            f"{row['accuracy']:.2f}",
            f"{row['loss']:+.2f}",
            target if row["weight_bits"] == 8 and not row["note"] else "",
            f"{row['spikes_per_neuron']:.3f}",
            f"{row['synaptic_operations']:,.0f}",
            row["note"],
        )
    return made


def published() -> Table:
    made = Table(title="Published, CIFAR-10")
    for column in ("work", "", "accuracy %", "how"):
        made.add_column(column)
    for row in PUBLISHED:
        made.add_row(*row)
    return made


def _folder() -> Path:
    folder = Path(os.environ.get("HWGEN_DATA", ""))
    if not (folder / "cifar10_test.npz").is_file():
        sys.exit("set HWGEN_DATA to the folder with cifar10_test.npz and the trained weights")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE")
    parser.add_argument("--quick", action="store_true", help="1,000 test images, two rows each")
    parser.add_argument("--samples", type=int, default=10_000, help="test images")
    parser.add_argument("--network", choices=tuple(TITLES), action="append", help="only this one")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    console = Console(width=None if sys.stdout.isatty() else 140)
    started = time.monotonic()
    samples = min(options.samples, 1_000) if options.quick else options.samples
    names = options.network or list(TITLES)
    rows = run(names, samples=samples, quick=options.quick, folder=_folder(), console=console)
    console.print(table(rows))
    console.print(published())
    if samples >= 10_000:
        failures = missed(rows)
        console.print("targets missed: " + "; ".join(failures) if failures else "all targets met")
    console.print(f"{time.monotonic() - started:.0f} s")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
