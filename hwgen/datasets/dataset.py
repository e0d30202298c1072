"""Images with their labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.arguments import require_integer
from hwgen.errors import DataError


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Images with their labels, where these are known.

    Parameters
    ----------
    images : uint8, uint16 or float array, shape (samples, channels, height, width)
        Floats are those of the file; conversion and golden model find the pixels behind them.
        Frames of address events: shape (samples, timesteps, channels, height, width).
    labels : int64 array, shape (samples,), or None
    """

    images: np.ndarray
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)

    def take(self, samples: int | None) -> Dataset:
        """The first ``samples`` images and labels; None, or more than there are, takes all."""
        require_samples(samples)
        labels = None if self.labels is None else self.labels[:samples]
        return Dataset(images=self.images[:samples], labels=labels)


def require_samples(samples: int | None) -> None:
    """Raise :class:`.DataError` unless ``samples`` is a positive integer or None, for all."""
    if samples is not None:
        require_integer("samples", samples, 1, error=DataError)
