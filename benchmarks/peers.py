"""SpikingJelly's ann2snn and hwgen on the same float weights, the same images and the same T.

    python -m benchmarks.peers [--network mnist resnet20] [--samples 1000] [--json FILE]

SpikingJelly's MaxNorm and RobustNorm ("99.9%") use soft-reset IF neurons in floating point and take
the image as a constant current; the class is that of the mean output over T timesteps. hwgen's
method with the same thresholds (weight_norm) uses 8-bit weights and a rate-coded image. The table
also shows two of hwgen's other methods.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from benchmarks import method_cases
from benchmarks.command import make_parser, write_json
from benchmarks.figures import percent_right
from benchmarks.method_subjects import TITLES, Subject, load
from benchmarks.table import make_table
from hwgen import golden
from hwgen.conversion import convert

TIMESTEPS = {"mnist": (4, 8, 16, 32, 64, 128), "resnet20": (4, 8, 16, 32, 64)}
CALIBRATION = 512  # images that all thresholds come from
MAX_RADIX_TIMESTEPS = 16
BATCH = 100
Classify = Callable[[np.ndarray], np.ndarray]


def spikingjelly(subject: Subject, mode: str) -> dict[int, Any]:
    """Predictions after each timestep, by the recipe's mode ("Max" or "99.9%")."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from spikingjelly.activation_based import ann2snn, functional
    calibration = subject.training.images[:: len(subject.training) // CALIBRATION][:CALIBRATION]
    ready = [ready_images(part, subject) for part in np.array_split(calibration, 8)]
    loader = [(part, torch.zeros(len(part))) for part in ready]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        recipe = ann2snn.RateCodingRecipe(loader, mode=mode)
        network = ann2snn.Converter(recipe).convert(subject.model.eval()).eval()
    wanted = TIMESTEPS[short(subject)]
    classes: dict[int, list[np.ndarray]] = {steps: [] for steps in wanted}
    with torch.inference_mode():
        for start in range(0, len(subject.test), BATCH):
            x = ready_images(subject.test.images[start : start + BATCH], subject)
            functional.reset_net(network)
            total: torch.Tensor | float = 0.0
            for step in range(1, max(wanted) + 1):
                total = total + network(x)
                if step in classes:
                    assert isinstance(total, torch.Tensor)
                    classes[step].append(total.argmax(1).numpy())
    return {steps: np.concatenate(parts) for steps, parts in classes.items()}


def short(subject: Subject) -> str:
    return "mnist" if subject.name.startswith("mnist") else subject.name


def ready_images(pixels: np.ndarray, subject: Subject) -> torch.Tensor:
    """Images as the float model takes them."""
    x = torch.from_numpy(pixels.astype(np.float32)) / 255
    mean = torch.tensor(subject.normalisation.get("mean", 0.0)).reshape(-1, 1, 1)
    std = torch.tensor(subject.normalisation.get("std", 1.0)).reshape(-1, 1, 1)
    return (x - mean) / std


def ours(subject: Subject, steps: int, **options: Any) -> np.ndarray:
    network = convert(
        subject.model, subject.training.images, timesteps=steps, calibration_images=CALIBRATION,
        **subject.normalisation, **options,
    )  # fmt: skip
    return golden.classify(network, subject.test.images)


LINES: dict[str, dict[str, Any]] = {
    "hwgen weight_norm, maximum": {"method": "weight_norm"},
    "hwgen weight_norm, 99.9 %": {"method": "weight_norm", "percentile": 99.9},
    "hwgen ecc": {"method": "ecc"},
    "hwgen spikeconverter": method_cases.FAST,
}


def run(subject: Subject, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Accuracy in per cent of each line, by T; some lines lack long trains."""
    labels = subject.test.labels
    assert labels is not None
    rows = []

    def row(line: str, classes: dict[int, np.ndarray]) -> None:
        hits = {steps: percent_right(found, labels) for steps, found in classes.items()}
        rows.append({"network": short(subject), "line": line, "accuracy": hits})

    for mode in ("Max", "99.9%"):
        tell(f"SpikingJelly {mode}")
        row(f"SpikingJelly {'MaxNorm' if mode == 'Max' else 'RobustNorm'}",
            spikingjelly(subject, mode))  # fmt: skip
    for line, options in LINES.items():
        classes = {}
        for steps in TIMESTEPS[short(subject)]:
            if "method" not in options and steps > MAX_RADIX_TIMESTEPS:
                continue
            tell(f"{line}, T = {steps}")
            classes[steps] = ours(subject, steps, **options)
        row(line, classes)
    return rows


def table(rows: list[dict[str, Any]], title: str) -> Table:
    lengths = list(rows[0]["accuracy"])
    cells = ([row["line"], *map(row["accuracy"].get, lengths)] for row in rows)
    return make_table(title, ("", *(f"T = {steps}" for steps in lengths)), cells, left=("",))


def _show(progress: Progress, task: TaskID, line: str) -> None:
    progress.update(task, description=line)


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, cache=True, samples=1000)
    parser.add_argument("--network", nargs="+", choices=tuple(TIMESTEPS), default=("mnist",))
    arguments = parser.parse_args(argv)
    console, rows = Console(), []
    for name in arguments.network:
        subject = load(name, "", arguments.cache)
        subject.test = subject.test.take(arguments.samples)
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task(name, total=None)
            mine = run(subject, partial(_show, progress, task))
        floats = 100 * float(np.mean(subject.float_hits()))
        title = f"{TITLES[name]}, {arguments.samples:,} images; float {floats:.2f} %"
        console.print(table(mine, title))
        rows += mine
        write_json(arguments.json, rows)


if __name__ == "__main__":
    main()
