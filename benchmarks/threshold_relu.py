"""MNIST with threshold ReLU: Table 1 and Fig. 2 of the thReLU report (Chang et al.).

    python -m benchmarks.threshold_relu [--json FILE] [--cache FOLDER] [--sweep] [--timesteps 128]

A small CNN in the report's four forms: ReLU or threshold ReLU, average or spiking max-pool, and a
spiking softmax behind the last one. Trained here (once: the weights are cached) on 20,000 images of
MNIST's training set, converted with the method "threshold_relu" (Deng and Gu) on 500 of them, and
run by the golden model on the first 1,000 test images.

The report names no T for MNIST; 128 is the shorter of the two that it does name (Table 3). Its
threshold is y_th = 1 for models without batch norm (section 4.3). ``--sweep`` trains with several
thresholds, for fewer images, steps and epochs: the report's Fig. 2 is a plot without numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from benchmarks import models
from hwgen import golden
from hwgen.conversion import convert
from hwgen.datasets.images import Dataset

TRAINING, EPOCHS, CALIBRATION, TEST = 20_000, 6, 500, 1_000
TIMESTEPS, WEIGHT_BITS = 128, 8
THRESHOLD = 1.0
MAX_LOSS = 2.0
"""Points that threshold ReLU may lose."""
SWEEP = (0.5, 1.0, 2.0, 4.0)
SWEEP_TRAINING, SWEEP_EPOCHS, SWEEP_TEST, SWEEP_TIMESTEPS = 10_000, 4, 1_000, 64


@dataclass(frozen=True)
class Row:
    """A row of Table 1, with the report's accuracies of the CNN and of the spiking network."""

    title: str
    threshold: float | None
    pool: str
    decoder: str
    ann: float
    snn: float


ROWS = (
    Row("ReLU", None, "average", "membrane", 97.68, 95.21),
    Row("thReLU", THRESHOLD, "average", "membrane", 97.65, 95.82),
    Row("thReLU + max-pool", THRESHOLD, "max", "membrane", 93.9, 91.44),
    Row("thReLU + max-pool + softmax", THRESHOLD, "max", "softmax", 95.1, 92.2),
)


def network(threshold: float | None, pool: str) -> nn.Sequential:
    """Two 3×3 convolutions with pools, and two linear layers."""

    def activation() -> nn.Module:
        return nn.ReLU() if threshold is None else nn.Hardtanh(0.0, threshold)

    pools = {"average": nn.AvgPool2d, "max": nn.MaxPool2d}
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 8, 3, padding=1),
            act1=activation(),
            pool1=pools[pool](2),
            conv2=nn.Conv2d(8, 16, 3, padding=1),
            act2=activation(),
            pool2=pools[pool](2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(16 * 49, 64),
            act3=activation(),
            fc2=nn.Linear(64, 10),
        )
    )


def trained(
    threshold: float | None, pool: str, training: Dataset, cache: Path | None, epochs: int
) -> nn.Module:
    build = partial(network, threshold, pool)
    recipe = models.Recipe(build, epochs=epochs, learning_rate=4e-3, weight_decay=0.02, shift=1)
    return models.train(f"threshold_relu_{pool}", training, cache=cache, recipe=recipe)


def measure(
    row: Row,
    training: Dataset,
    test: Dataset,
    *,
    timesteps: int,
    cache: Path | None,
    epochs: int = EPOCHS,
) -> dict[str, Any]:
    """Accuracies in per cent."""
    assert test.labels is not None
    model = trained(row.threshold, row.pool, training, cache, epochs)
    floats = models.float_accuracy(model, test)
    made = convert(
        model, training.images, labels=training.labels, method="threshold_relu",
        timesteps=timesteps, weight_bits=WEIGHT_BITS, decoder=row.decoder,
        calibration_images=CALIBRATION,
    )  # fmt: skip
    start = time.perf_counter()
    result = golden.run(made, test.images)
    accuracy = 100 * float((result.classes == test.labels).mean())
    firing = [layer.name for layer in made.layers if layer.name in result.spikes]
    neurons = sum(result.neurons[layer] for layer in firing)
    return {
        "model": row.title,
        "threshold": row.threshold,
        "decoder": row.decoder,
        "timesteps": timesteps,
        "samples": len(test),
        "float_accuracy": round(floats, 4),
        "accuracy": round(accuracy, 4),
        "loss": round(floats - accuracy, 4),
        "spikes_per_neuron": sum(float(result.spikes[n].mean()) for n in firing) / neurons,
        "paper": {"ann": row.ann, "snn": row.snn, "loss": round(row.ann - row.snn, 2)},
        "seconds": round(time.perf_counter() - start, 1),
    }


def sweep(training: Dataset, test: Dataset, cache: Path | None) -> list[dict[str, Any]]:
    """Fig. 2: the threshold ReLUs with other thresholds."""
    training, few = training.take(SWEEP_TRAINING), test.take(SWEEP_TEST)
    rows = []
    for threshold in SWEEP:
        for row in ROWS[1:]:
            told = Row(**{**row.__dict__, "threshold": threshold})
            found = measure(
                told, training, few, timesteps=SWEEP_TIMESTEPS, cache=cache, epochs=SWEEP_EPOCHS
            )
            rows.append(found)
    return rows


def table(rows: list[dict[str, Any]], *, paper: bool) -> Table:
    first = rows[0]
    made = Table(
        title=f"MNIST, {first['samples']:,} test images, T = {first['timesteps']}, "
        f"{WEIGHT_BITS}-bit weights"
    )
    columns = ["model", "threshold", "float %", "spiking %", "loss", "spikes / neuron"]
    for column in columns + ["paper: CNN %", "SNN %", "loss"] * paper:
        made.add_column(column, justify="left" if column == "model" else "right")
    for row in rows:
        cells = [
            row["model"],
            "–" if row["threshold"] is None else f"{row['threshold']:g}",
            f"{row['float_accuracy']:.2f}",
            f"{row['accuracy']:.2f}",
            f"{row['loss']:+.2f}",
            f"{row['spikes_per_neuron']:.2f}",
        ]
        if paper:
            cells += [f"{row['paper'][key]:.2f}" for key in ("ann", "snn", "loss")]
        made.add_row(*cells)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--cache", type=Path, help="folder of the trained weights")
    parser.add_argument("--timesteps", type=int, default=TIMESTEPS)
    parser.add_argument("--sweep", action="store_true", help="thresholds other than 1, too")
    arguments = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    folder = Path(os.environ.get("HWGEN_DATA", ""))
    if not (folder / "mnist_train.npz").is_file():
        sys.exit("set HWGEN_DATA to the folder with mnist_train.npz and mnist_test.npz")
    training, test = models.mnist(folder)
    training, test = training.take(TRAINING), test.take(TEST)
    console = Console(width=None if sys.stdout.isatty() else 120)
    rows = []
    for row in ROWS:
        found = measure(row, training, test, timesteps=arguments.timesteps, cache=arguments.cache)
        rows.append(found)
        console.print(
            f"{row.title}: {found['float_accuracy']:.2f} → {found['accuracy']:.2f} %, "
            f"{found['seconds']} s"
        )
    console.print(table(rows, paper=True))
    swept = sweep(training, test, arguments.cache) if arguments.sweep else []
    if swept:
        console.print(table(swept, paper=False))
    if arguments.json:
        found = {"table1": rows, "fig2": swept}
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    missed = [row for row in rows if row["threshold"] is not None and row["loss"] > MAX_LOSS]
    for row in missed:
        console.print(f"[red]{row['model']}: loss {row['loss']:.2f} > {MAX_LOSS}[/]")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
