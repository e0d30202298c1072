"""Address events of event cameras, and the frames that a network takes as its input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwgen.arguments import require_integer
from hwgen.datasets.dataset import require_samples
from hwgen.datasets.images import Shape
from hwgen.datasets.opened import MAX_BYTES
from hwgen.errors import DataError

ARRAYS = ("t", "x", "y", "p", "offsets")
_MAX_TIME = np.iinfo(np.int64).max


@dataclass(frozen=True, kw_only=True, eq=False)
class AddressEvents:
    """Address events of several samples, one sample after the other.

    Parameters
    ----------
    t, x, y, p : integer arrays, shape (events,)
        Time in any unit, column, row and polarity.
    offsets : integer array, shape (samples + 1,)
        Sample i is ``offsets[i]:offsets[i + 1]``.
    """

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def shape(self) -> Shape:
        """Smallest (polarities, height, width) that holds all events; at least two polarities."""
        polarities, height, width = (
            int(axis.max()) + 1 if len(axis) else 1 for axis in (self.p, self.y, self.x)
        )
        return max(2, polarities), height, width


def read_address_events(arrays: Mapping[str, np.ndarray], *, where: str) -> AddressEvents:
    """Check the arrays ``t``, ``x``, ``y``, ``p`` and ``offsets`` of an event file.

    Raises :class:`.DataError`, which starts with ``where``, if one breaks a rule of AddressEvents.
    """
    for name in ARRAYS:
        array = arrays[name]
        if array.ndim != 1 or array.dtype.kind not in "iu" or (len(array) and array.min() < 0):
            raise DataError(
                f"{where}, {name}: must be one axis of integers that are not negative, not "
                f"{array.dtype} of shape {array.shape}"
            )
        if len(array) and int(array.max()) > _MAX_TIME:
            raise DataError(f"{where}, {name}: must be less than 2^63, not {int(array.max())}")
    counts = {len(arrays[name]) for name in ARRAYS[:-1]}
    offsets = arrays["offsets"].astype(np.int64)
    if len(counts) > 1:
        raise DataError(f"{where}: t, x, y and p must have the same length, not {sorted(counts)}")
    rising = len(offsets) >= 2 and offsets[0] == 0 and (np.diff(offsets) >= 0).all()
    if not rising or offsets[-1] != counts.pop():
        raise DataError(
            f"{where}, offsets: must rise from 0 to the number of events and have one entry more "
            f"than there are samples"
        )
    t, x, y, p = (arrays[name].astype(np.int64, copy=False) for name in ARRAYS[:-1])
    return AddressEvents(t=t, x=x, y=y, p=p, offsets=offsets)


def bin_events(
    events: AddressEvents, *, timesteps: int, shape: Shape | None = None, samples: int | None = None
) -> np.ndarray:
    """Divide address events into one frame of zeros and ones per timestep.

    The time from a sample's first event, t₀, to its last one, t₁, is divided into T equal spans: an
    event at t falls into timestep ⌊(t − t₀)·T / (t₁ − t₀ + 1)⌋, counted from 0. Events of one pixel
    and polarity in one timestep become one spike.

    Parameters
    ----------
    timesteps : int
        T.
    shape : (channels, height, width) or None
        Size of a frame, with a channel per polarity; None takes ``events.shape``.
    samples : int or None
        Keep only the first ones.

    Returns
    -------
    uint8 array, shape (samples, T, channels, height, width)

    Raises
    ------
    DataError
        An event lies outside of ``shape``, or the frames take too much memory.
    """
    require_samples(samples)
    require_integer("timesteps", timesteps, 1, error=DataError)
    shape = shape or events.shape
    if any(own > room for own, room in zip(events.shape[1:], shape[1:])) or (
        len(events.p) and int(events.p.max()) >= shape[0]
    ):
        raise DataError(
            f"the events need frames of {events.shape} (polarities, height, width), but the "
            f"network takes {shape}; convert the model with events of this sensor"
        )
    count = len(events) if samples is None else min(samples, len(events))
    if (size := math.prod((count, timesteps, *shape))) > MAX_BYTES:
        raise DataError(
            f"{count:,} samples of {timesteps} frames of {shape} take {size:,} bytes, more than "
            f"the limit of {MAX_BYTES:,}; give fewer samples or timesteps"
        )
    frames = np.zeros((count, timesteps, *shape), dtype=np.uint8)
    for sample in np.flatnonzero(np.diff(events.offsets[: count + 1])):
        part = slice(int(events.offsets[sample]), int(events.offsets[sample + 1]))
        times = events.t[part]
        first, last = int(times.min()), int(times.max())
        if (last - first) * timesteps > _MAX_TIME:
            raise DataError(
                f"sample {sample} lasts {last - first} units of time, too many to divide into "
                f"{timesteps} timesteps; store times in a larger unit"
            )
        step = (times - first) * timesteps // (last - first + 1)
        frames[sample, step, events.p[part], events.y[part], events.x[part]] = 1
    return frames
