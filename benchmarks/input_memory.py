"""Images and labels in memory: arrays, tensors, data sets, loaders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

from benchmarks.input_samples import (
    COLOUR,
    GREY,
    LABELS,
    MEAN,
    SAMPLES,
    STD,
    Case,
    last,
    normalised,
    units,
)


class _Dictionaries(Dataset[dict[str, Any]]):
    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"image": torch.from_numpy(COLOUR[index]), "label": int(LABELS[index])}


def _pairs() -> TensorDataset:
    return TensorDataset(torch.from_numpy(units()), torch.from_numpy(LABELS))


def _batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return ((COLOUR[i : i + 5], LABELS[i : i + 5]) for i in range(0, SAMPLES, 5))


IN_MEMORY = (
    Case(name="uint8 N×C×H×W", give=lambda _: COLOUR),
    Case(name="uint8 N×H×W×C", give=lambda _: last(COLOUR)),
    Case(name="uint8 N×H×W", give=lambda _: GREY[:, 0], images=GREY),
    Case(name="uint16, big-endian", give=lambda _: COLOUR.astype(">u2")),
    Case(name="int64", give=lambda _: COLOUR.astype(np.int64)),
    Case(name="float32 0 … 255", give=lambda _: COLOUR.astype(np.float32)),
    Case(name="float32 0 … 1", give=lambda _: units()),
    Case(name="float64 0 … 1, N×H×W×C", give=lambda _: last(COLOUR / 255)),
    Case(name="float16 0 … 1", give=lambda _: units().astype(np.float16)),
    Case(name="float32 normalised, mean and std given", give=lambda _: normalised(),
         normalised=True, options={"mean": MEAN, "std": STD}),
    Case(name="float32 normalised, mean and std not given", give=lambda _: normalised(),
         normalised=True),
    Case(name="tensor uint8", give=lambda _: torch.from_numpy(COLOUR)),
    Case(name="tensor float32 with gradient, channels last in memory",
         give=lambda _: torch.from_numpy(units()).to(memory_format=torch.channels_last)
         .requires_grad_()),
    Case(name="list of arrays", give=lambda _: list(COLOUR)),
    Case(name="pair (images, labels)", give=lambda _: (last(COLOUR), LABELS)),
    Case(name="torch Dataset of (image, label)", give=lambda _: _pairs()),
    Case(name="torch Dataset of dictionaries", give=lambda _: _Dictionaries()),
    Case(name="DataLoader", give=lambda _: DataLoader(_pairs(), batch_size=5)),
    Case(name="generator of batches", give=lambda _: _batches()),
)  # fmt: skip
