"""MNIST: float and spiking accuracy of a 784-128-10 MLP and two small CNNs, 8-bit weights.

    python -m benchmarks.mnist [--json FILE] [--quick] [--cache FOLDER]

Trains the networks (once: the weights are cached), converts them on 1,000 training images and runs
the golden model on the 10,000 test images of HWGEN_DATA, which nothing else sees. The strided CNN
is trained with activations rounded to the four values that two timesteps carry, on the upper two
bits of the pixels; the other networks are trained as usual.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from torch import nn

from benchmarks import models
from benchmarks.command import make_parser, write_json
from benchmarks.figures import golden_figures
from benchmarks.table import make_table
from hwgen import golden
from hwgen.conversion import convert
from hwgen.datasets import Dataset
from hwgen.network import Network

TITLES = {
    "mlp": "MLP 784-128-10",
    "cnn": "CNN 8C3-P2-16C3-P2-64-10",
    "strided": "CNN 16C3-32C3-64C3-10, stride 2",
}
Steps = tuple[int, int]  # timesteps of the layers, and of the input
STEPS: dict[str, tuple[Steps, ...]] = {
    "mlp": ((8, 8), (4, 4), (3, 3), (2, 2), (2, 1)),
    "cnn": ((8, 8), (4, 4), (3, 3), (2, 2)),
    "strided": ((2, 2),),
}
WEIGHT_BITS = 8
# The value at which the network saturates in training becomes the largest code.
OPTIONS: dict[str, dict[str, Any]] = {"strided": {"percentile": 100.0}}
# Minimum float accuracy, and maximum loss by timesteps, in points of the 10,000 test images.
FLOAT_TARGETS = {"mlp": 98.0, "cnn": 99.0, "strided": 99.2}
LOSS_TARGETS = {("mlp", (8, 8)): 0.05, ("mlp", (4, 4)): 0.15, ("mlp", (2, 2)): 0.6,
                ("cnn", (8, 8)): 0.05, ("cnn", (4, 4)): 0.15, ("strided", (2, 2)): 0.2}  # fmt: skip


def converted(name: str, model: nn.Module, training: Dataset, steps: Steps) -> Network:
    """``model`` as the benchmark converts it, with 8-bit weights and iLIF neurons."""
    return convert(
        model, training.images, labels=training.labels, timesteps=steps[0],
        layer_timesteps={"input": steps[1]}, weight_bits=WEIGHT_BITS, name=f"mnist_{name}",
        **OPTIONS.get(name, {}),
    )  # fmt: skip


def accuracy_row(
    name: str, network: Network, test: Dataset, float_accuracy: float
) -> dict[str, Any]:
    """Accuracies in per cent over all of ``test``; spikes and operations per image."""
    figures = golden_figures(network, golden.run(network, test.images), test)
    return {
        "network": name,
        "method": network.provenance["method"],
        "neuron": network.provenance["options"]["neuron"],
        "timesteps": network.provenance["options"]["timesteps"],
        "input_timesteps": network.input.timesteps,
        "weight_bits": network.provenance["options"]["weight_bits"],
        **figures,
        "float_accuracy": round(float_accuracy, 4),
        "accuracy": round(figures["accuracy"], 4),
        "loss": round(float_accuracy - figures["accuracy"], 4),
    }


def run(*, quick: bool, cache: Path | None, console: Console) -> list[dict[str, Any]]:
    """Rows of the table."""
    training, test = models.mnist()
    if quick:
        training, test = training.take(12_000), test.take(1_000)
    rows = []
    with Progress(console=console, transient=True) as progress:
        for name in models.RECIPES:
            epochs = 2 if quick else models.RECIPES[name].epochs
            task = progress.add_task(f"training the {name}", total=epochs + len(STEPS[name]))
            show = partial(_show_epochs, progress, task)
            model = models.train(name, training, cache=cache, epochs=epochs, progress=show)
            progress.update(task, completed=epochs)
            floats = models.float_accuracy(model, test)
            for steps in STEPS[name]:
                progress.update(task, description=f"{name}: converting to T = {steps[0]}")
                network = converted(name, model, training, steps)
                rows.append(accuracy_row(name, network, test, floats))
                progress.advance(task)
    return rows


def _show_epochs(progress: Progress, task: TaskID, done: int, _: int) -> None:
    progress.update(task, completed=done)


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """Targets that the rows miss."""
    found = []
    for row in rows:
        name, steps = row["network"], _steps(row)
        most = LOSS_TARGETS.get((name, steps))
        if row["float_accuracy"] < FLOAT_TARGETS[name]:
            found.append(f"{name}: float {row['float_accuracy']:.2f} < {FLOAT_TARGETS[name]}")
        if most is not None and row["loss"] > most + 1e-9:
            found.append(f"{name}, T = {steps[0]}: loss {row['loss']:.2f} > {most}")
    return list(dict.fromkeys(found))


def _steps(row: dict[str, Any]) -> Steps:
    return row["timesteps"], row["input_timesteps"]


def table(rows: list[dict[str, Any]]) -> Table:
    made = make_table(
        f"MNIST, {rows[0]['samples']:,} test images, {WEIGHT_BITS}-bit weights",
        ("network", "T", "input T", "float %", "spiking %", "loss", "maximum", "spikes / neuron",
         "synaptic operations"),
        left=("network",),
    )  # fmt: skip
    for row in rows:
        most = LOSS_TARGETS.get((row["network"], _steps(row)))
        made.add_row(
            TITLES[row["network"]],
            str(row["timesteps"]),
            str(row["input_timesteps"]),
            f"{row['float_accuracy']:.2f}",
            f"{row['accuracy']:.2f}",
            f"{row['loss']:+.2f}",
            "" if most is None else f"{most:.2f}",
            f"{row['spikes_per_neuron']:.3f}",
            f"{row['synaptic_operations']:,.0f}",
        )
    return made


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="two epochs, 1,000 test images", cache=True)
    options = parser.parse_args(argv)
    console = Console()
    started = time.monotonic()
    rows = run(quick=options.quick, cache=options.cache, console=console)
    console.print(table(rows))
    if not options.quick:
        failures = missed(rows)
        console.print("targets missed: " + "; ".join(failures) if failures else "all targets met")
    console.print(f"{time.monotonic() - started:.0f} s")
    write_json(options.json, {"rows": rows})


if __name__ == "__main__":
    main()
