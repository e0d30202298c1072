"""The samples that benchmarks/inputs.py gives in every way, and what a way is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES = 12
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_RNG = np.random.default_rng(17)
COLOUR = _RNG.integers(0, 256, (SAMPLES, 3, 32, 32), dtype=np.uint8)
COLOUR[0, :, 0, :2] = 0, 255  # as every data set of some size has them
GREY = np.ascontiguousarray(COLOUR[:, :1, :28, :28])
LABELS = np.arange(SAMPLES) % 4


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way: ``give`` returns a path, or an object in memory; ``refused`` is in the message.

    ``images`` are the plain pixels of the same samples; ``options`` are those of the conversion.
    """

    name: str
    give: Callable[[Path], Any]
    images: np.ndarray = field(default_factory=lambda: COLOUR)
    normalised: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    refused: str | None = None


def normalised() -> np.ndarray:
    """COLOUR as most PyTorch models take it."""
    mean, std = (np.array(values, np.float32).reshape(-1, 1, 1) for values in (MEAN, STD))
    return (COLOUR.astype(np.float32) / 255 - mean) / std


def units(images: np.ndarray = COLOUR) -> np.ndarray:
    """0 … 1 in float32."""
    return images.astype(np.float32) / np.float32(255)


def last(images: np.ndarray) -> np.ndarray:
    """(N, H, W, C) of (N, C, H, W)."""
    return images.transpose(0, 2, 3, 1)


def saved(folder: Path, name: str = "data.npz", **arrays: Any) -> Path:
    """An .npz file of ``arrays``."""
    np.savez(folder / name, **arrays)
    return folder / name
