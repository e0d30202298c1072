"""MNIST with threshold ReLU: Table 1 and Fig. 2 of the thReLU report (Chang et al.).

    python -m benchmarks.threshold_relu [--json FILE] [--cache FOLDER] [--sweep] [--timesteps 128]

A small CNN in the report's four forms: ReLU or threshold ReLU, average or spiking max-pool, the
last one also with a spiking softmax. Trained once (the weights are cached) on 20,000 images of
MNIST's training set, converted with the method "threshold_relu" (Deng and Gu) on 500 of them, and
run by the golden model on the first 1,000 test images.

The report gives no T for MNIST; 128 is the smaller of the two in its Table 3. Its
threshold is y_th = 1 for models without batch norm (section 4.3). ``--sweep`` trains with several
thresholds, for fewer images, steps and epochs: the report's Fig. 2 is a plot without numbers.
"""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table
from torch import nn

from benchmarks import models
from benchmarks.command import make_console, make_parser, write_json
from benchmarks.figures import golden_figures
from benchmarks.table import make_table
from hwgen import golden
from hwgen.conversion import convert
from hwgen.datasets import Dataset

TRAINING, EPOCHS, CALIBRATION, TEST = 20_000, 6, 500, 1_000
TIMESTEPS, WEIGHT_BITS = 128, 8
THRESHOLD = 1.0
MAX_LOSS = 2.0
"""Maximum loss of threshold ReLU in points."""
SWEEP = (0.5, 1.0, 2.0, 4.0)
SWEEP_TRAINING, SWEEP_EPOCHS, SWEEP_TEST, SWEEP_TIMESTEPS = 10_000, 4, 1_000, 64


@dataclass(frozen=True)
class Row:
    """Row of Table 1, with the report's accuracies of the CNN and the spiking network."""

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
    model = trained(row.threshold, row.pool, training, cache, epochs)
    floats = models.float_accuracy(model, test)
    made = convert(
        model, training.images, labels=training.labels, method="threshold_relu",
        timesteps=timesteps, weight_bits=WEIGHT_BITS, decoder=row.decoder,
        calibration_images=CALIBRATION,
    )  # fmt: skip
    start = time.perf_counter()
    figures = golden_figures(made, golden.run(made, test.images), test)
    return {
        "model": row.title,
        "threshold": row.threshold,
        "decoder": row.decoder,
        "timesteps": timesteps,
        **figures,
        "float_accuracy": round(floats, 4),
        "accuracy": round(figures["accuracy"], 4),
        "loss": round(floats - figures["accuracy"], 4),
        "paper": {"ann": row.ann, "snn": row.snn, "loss": round(row.ann - row.snn, 2)},
        "seconds": round(time.perf_counter() - start, 1),
    }


def sweep(training: Dataset, test: Dataset, cache: Path | None) -> list[dict[str, Any]]:
    """Rows of Fig. 2: threshold ReLU with several thresholds."""
    training, few = training.take(SWEEP_TRAINING), test.take(SWEEP_TEST)
    rows = []
    for threshold in SWEEP:
        for row in ROWS[1:]:
            varied = Row(**{**row.__dict__, "threshold": threshold})
            found = measure(
                varied, training, few, timesteps=SWEEP_TIMESTEPS, cache=cache, epochs=SWEEP_EPOCHS
            )
            rows.append(found)
    return rows


def table(rows: list[dict[str, Any]], *, paper: bool) -> Table:
    first = rows[0]
    columns = ["model", "threshold", "float %", "spiking %", "loss", "spikes / neuron"]
    made = make_table(
        f"MNIST, {first['samples']:,} test images, T = {first['timesteps']}, "
        f"{WEIGHT_BITS}-bit weights",
        columns + ["paper: CNN %", "SNN %", "loss"] * paper,
        left=("model",),
    )
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


def main(argv: list[str] | None = None) -> int:
    parser = make_parser(__doc__, cache=True)
    parser.add_argument("--timesteps", type=int, default=TIMESTEPS)
    parser.add_argument("--sweep", action="store_true", help="also measure other thresholds than 1")
    arguments = parser.parse_args(argv)
    training, test = models.mnist()
    training, test = training.take(TRAINING), test.take(TEST)
    console = make_console(width=120)
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
    write_json(arguments.json, {"table1": rows, "fig2": swept})
    missed = [one for one in rows if one["threshold"] is not None and one["loss"] > MAX_LOSS]
    for one in missed:
        console.print(f"[red]{one['model']}: loss {one['loss']:.2f} > {MAX_LOSS}[/]")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
