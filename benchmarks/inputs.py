"""Ways to give images and labels: each is right, or refused in one line.

    python -m benchmarks.inputs [--json FILE]

Right means that the converted network has the same integers, and the golden model finds the same
logits, as with the plain uint8 array of shape (samples, channels, height, width), and that the
labels are the same where the data has any. The cases are made in a temporary folder.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import hwgen
from benchmarks.command import make_console, make_parser, write_json
from benchmarks.input_cases import CASES
from benchmarks.input_samples import COLOUR, LABELS, MEAN, STD, Case
from benchmarks.table import make_table
from hwgen import artefact, datasets, golden
from hwgen.errors import HwgenError
from hwgen.network import Conv2d, Input, Layer, Network, Readout


def model_of(channels: int) -> nn.Module:
    """A small network with seeded weights, four classes."""
    torch.manual_seed(channels)
    return nn.Sequential(
        nn.Conv2d(channels, 4, 4, stride=4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)
    )


@cache
def reference(colour: bool, normalised: bool) -> tuple[nn.Module, Network]:
    """The model, and the network that the plain pixels give."""
    images = case_images(colour)
    model = model_of(images.shape[1])
    model(torch.zeros(1, *images.shape[1:]))
    options: dict[str, Any] = {"mean": MEAN, "std": STD} if normalised else {}
    return model, hwgen.convert(model, images, effort="fast", **options)


@cache
def readout(colour: bool, normalised: bool) -> Network:
    """One layer of seeded weights, whose logits tell images from each other."""
    channels, height, width = case_images(colour).shape[1:]
    weights = np.random.default_rng(0).integers(-99, 100, (4, channels, height, width))
    layer = Layer(
        name="out",
        projections=(Conv2d(source="input", weights=weights.astype(np.int32)),),
        bias=np.zeros(4, np.int64),
        neuron=Readout(),
    )
    return Network(
        name="readout",
        input=Input(shape=(channels, height, width), timesteps=8),
        nodes=(layer,),
        provenance={"scale": 1 / 255, **({"mean": MEAN, "std": STD} if normalised else {})},
    )


def case_images(colour: bool) -> np.ndarray:
    """Plain pixels of the cases with or without colour."""
    return COLOUR if colour else COLOUR[:, :1, :28, :28]


def integers_hash(network: Network) -> str:
    """Hash of a network without its provenance, which says how the data came."""
    return artefact.content_hash(replace(network, provenance={}))


def read(case: Case, folder: Path, split: str) -> tuple[Any, np.ndarray | None]:
    """What the case gives, loaded if it is a file, and its labels if it has any."""
    given = case.give(folder)
    if isinstance(given, Path):
        loaded = datasets.load(given, split=split)
        return loaded.images, loaded.labels
    if hasattr(given, "__next__"):
        given = list(given)
        return (item for item in given), datasets.as_arrays(iter(given), where=case.name)[1]
    return given, datasets.as_arrays(given, where=case.name)[1]


def attempt(case: Case, folder: Path, *, convert: bool) -> str:
    """ "right", the message of a refusal, or what is wrong; without ``convert`` golden alone."""
    kind = case.images.shape[1] == 3, case.normalised
    model, network = reference(*kind) if convert else (None, readout(*kind))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            images, labels = read(case, folder, "test")
            logits = golden.run(network, images).logits
            if labels is not None:
                labels = datasets.as_labels(labels, len(logits), where=case.name)
            if model is not None:
                images, _ = read(case, Path(tempfile.mkdtemp(dir=folder)), "train")
                converted = hwgen.convert(model, images, effort="fast", **case.options)
    except HwgenError as error:
        return str(error)
    if not np.array_equal(logits, golden.run(network, case.images).logits):
        return "WRONG: logits differ"
    if labels is not None and labels.tolist() != LABELS.tolist():
        return "WRONG: labels differ"
    if model is not None and integers_hash(converted) != integers_hash(network):
        return "WRONG: the converted network differs"
    return "right"


def as_expected(case: Case, outcome: str) -> bool:
    """Whether a case is right, or refused in one line with the reason that it should have."""
    if case.refused is None:
        return outcome == "right"
    return case.refused in outcome and "\n" not in outcome and outcome.isprintable()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = make_parser(__doc__)
    options = parser.parse_args(arguments)
    rows = []
    right: bool | None
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            try:
                outcome = attempt(case, Path(folder), convert=True).replace(folder, "")
                right = as_expected(case, outcome)
            except ModuleNotFoundError as error:
                outcome, right = f"skipped: {error.name} is not installed", None
            seconds = time.perf_counter() - start
        rows.append(
            {
                "case": case.name,
                "outcome": outcome,
                "as expected": right,
                "seconds": seconds,
            }
        )
    title = f"{len(rows)} ways to give data"
    table = make_table(title, list(rows[0]), (row.values() for row in rows), left=rows[0].keys())
    make_console().print(table)
    write_json(options.json, rows)
    if any(row["as expected"] is False for row in rows):
        sys.exit("some cases are not as expected")


if __name__ == "__main__":
    main()
