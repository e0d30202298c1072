"""Agreement with the float model where conversion is hard: keyword spotting, and great depth.

    python -m benchmarks.agreement [--json FILE] [--quick] [--cache FOLDER] [--timesteps 4]

A DS-CNN is trained on synthetic words; a ResNet of 56 layers has random weights, and batch norms
that have seen random images. Both are converted with no option but the number of timesteps. Figures
are the share of new samples with the class of the float model.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks import cifar_models, keyword_models, scale_models
from benchmarks.command import make_console, make_parser, write_json
from benchmarks.table import records_table
from benchmarks.training import default_cache, fit, kept
from hwgen import golden
from hwgen.conversion import convert
from hwgen.conversion.frontend.float_model import float_classes

TIMESTEPS = (8, 5, 4, 3)
GOALS = {("DS-CNN", 8): 98.0, ("DS-CNN", 4): 94.0}  # in per cent


@dataclass(frozen=True)
class Subject:
    """A model with images to calibrate on, and new ones."""

    name: str
    model: nn.Module
    calibration: np.ndarray
    new: np.ndarray
    options: dict[str, Any] = field(default_factory=dict)


def ds_cnn(cache: Path, *, epochs: int = 6) -> Subject:
    """DS-CNN after a short training; it reads a new set of recordings in the end."""
    features, words = keyword_models.recordings(3000, seed=0)
    model = keyword_models.DsCnn()

    def train() -> None:
        torch.manual_seed(0)
        inputs, classes = keyword_models.normalised(features), torch.from_numpy(words)
        fit(model, inputs, classes, keyword_models.Training(), epochs, lambda batch, _: batch)

    return Subject(
        name="DS-CNN",
        model=kept(cache / f"ds_cnn_{epochs}.safetensors", model, train),
        calibration=features,
        new=keyword_models.recordings(1000, seed=1)[0],
        options={"mean": keyword_models.MEAN, "std": keyword_models.STD},
    )


def deep_resnet() -> Subject:
    """56 layers with random weights."""
    torch.manual_seed(0)
    images = scale_models.images(1200)
    model = scale_models.settled(cifar_models.ResNet20(blocks=9), images[:200])
    return Subject(name="ResNet-56", model=model, calibration=images[:900], new=images[900:])


def measure(subject: Subject, timesteps: int, effort: str) -> dict[str, Any]:
    """One row of the table."""
    started = time.monotonic()
    network = convert(
        subject.model, subject.calibration, timesteps=timesteps, effort=effort, **subject.options
    )
    seconds = time.monotonic() - started
    wanted = float_classes(subject.model, subject.new, **subject.options)
    found = golden.run(network, subject.new).classes
    fidelity = network.provenance["fidelity"]
    return {
        "network": subject.name,
        "timesteps": timesteps,
        "effort": effort,
        "agreement": round(100 * float((wanted == found).mean()), 2),
        "goal": GOALS.get((subject.name, timesteps)),
        "held_out_agreement": round(fidelity["agreement"], 2),
        "signal_to_error_db": round(fidelity["signal_to_error"], 2),
        "rounding": network.provenance["options"]["rounding"],
        "conversion_s": round(seconds, 1),
    }


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="keyword spotting at T = 4 only", cache=True)
    parser.add_argument("--timesteps", type=int, action="append", help="only these")
    options = parser.parse_args(argv)
    console = make_console()
    cache = options.cache or default_cache()
    subjects: list[Callable[[], Subject]] = [lambda: ds_cnn(cache)]
    if not options.quick:
        subjects.append(deep_resnet)
    rows = []
    for make in subjects:
        subject = make()
        for timesteps in options.timesteps or ((4,) if options.quick else TIMESTEPS):
            for effort in ("best", "fast"):
                rows.append(measure(subject, timesteps, effort))
                console.print(records_table("", rows[-1:]))
    console.print(records_table("Agreement with the float model, new samples", rows))
    write_json(options.json, {"rows": rows})


if __name__ == "__main__":
    main()
