"""Where each spike of a train lies in the words of a stream: the only place that knows it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from hwgen.errors import ArtefactError
from hwgen.network import Shape

LAYOUTS = ("pixel", "raster")
SCHEDULES = ("time", "row")


class Place(NamedTuple):
    """A spike: samples, rows, columns and channels count from 0, timesteps from 1."""

    sample: int
    timestep: int
    row: int
    column: int
    channel: int


@dataclass(frozen=True, kw_only=True)
class StreamLayout:
    """An inter-layer stream as ``docs/hardware.md`` describes it.

    Parameters
    ----------
    tap : int
    node : str
        The node whose trains it carries.
    shape : (channels, height, width)
    timesteps : int
    width : int
        Bits of a word.
    layout : "pixel" or "raster"
        The order of the spikes within one timestep's plane.
    schedule : "time" or "row"
        Whether whole planes follow each other, or the timesteps of each row of pixels.
    """

    tap: int
    node: str
    shape: Shape
    timesteps: int
    width: int
    layout: str
    schedule: str

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise ArtefactError(
                f"stream {self.tap} ({self.node}): layout must be one of {', '.join(LAYOUTS)}, "
                f"not {self.layout!r}; generate the build folder again with this version"
            )
        if self.schedule not in SCHEDULES:
            raise ArtefactError(
                f"stream {self.tap} ({self.node}): schedule must be one of "
                f"{', '.join(SCHEDULES)}, not {self.schedule!r}; generate the build folder again "
                f"with this version"
            )

    @cached_property
    def order(self) -> np.ndarray:
        """Which spike of a sample each bit is.

        int64 array, shape (words of a sample, width): an index into the flattened train of shape
        (timesteps, channels, height, width), or −1 where a bit is padding.
        """
        channels, height, width = self.shape
        spikes = np.arange(channels * height * width).reshape(self.shape)
        raster = spikes.transpose(1, 2, 0)  # y, x, c
        lines = raster.reshape(height * width if self.layout == "pixel" else 1, -1)
        padding = -lines.shape[1] % self.width
        lines = np.pad(lines, ((0, 0), (0, padding)), constant_values=-1)
        rows = lines.reshape(height if self.layout == "pixel" else 1, -1, self.width)
        steps = np.arange(self.timesteps)[:, None, None, None] * spikes.size
        words = np.where(rows < 0, -1, rows + steps)
        if self.schedule == "row":
            words = words.swapaxes(0, 1)
        return words.reshape(-1, self.width)

    @property
    def words(self) -> int:
        """Words of a sample."""
        return len(self.order)

    def pack(self, trains: np.ndarray) -> np.ndarray:
        """The words of some samples.

        Parameters
        ----------
        trains : array of 0 and 1, shape (samples, timesteps, channels, height, width)

        Returns
        -------
        uint8 array of 0 and 1, shape (samples · words, width), bit 0 first
        """
        given = trains.shape[1:]
        if given != (self.timesteps, *self.shape):
            raise ArtefactError(
                f"stream {self.tap} ({self.node}): its trains are {given} in the network, but "
                f"{(self.timesteps, *self.shape)} in the manifest; generate the build folder again"
            )
        flat = trains.reshape(len(trains), -1).astype(np.uint8, copy=False)
        flat = np.pad(flat, ((0, 0), (0, 1)))  # index −1 gives a 0
        return flat[:, self.order].reshape(-1, self.width)

    def locate(self, word: int, bit: int) -> Place | None:
        """The spike that is ``bit`` of the ``word``-th word since reset; None for padding."""
        sample, index = divmod(word, self.words)
        spike = int(self.order[index, bit])
        if spike < 0:
            return None
        step, channel, row, column = np.unravel_index(spike, (self.timesteps, *self.shape))
        return Place(sample, int(step) + 1, int(row), int(column), int(channel))


@dataclass(frozen=True, kw_only=True)
class ResultLayout:
    """The packet of results of each sample: its logits, then its class with ``last``.

    Parameters
    ----------
    classes : int
    width : int
        Bits of a word, without ``last``.
    """

    classes: int
    width: int

    @property
    def words(self) -> int:
        """Words of a sample."""
        return self.classes + 1

    def pack(self, logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """The words of some samples, ``last`` as the bit above the highest.

        ``logits`` has shape (samples, classes), ``classes`` (samples,); gives uint8 of 0 and 1,
        shape (samples · words, width + 1), bit 0 first.
        """
        values = np.concatenate([logits, classes[:, None]], axis=1).astype(np.int64).reshape(-1, 1)
        bits = (values >> np.minimum(np.arange(self.width), 63)) & 1
        last = np.arange(len(values)) % self.words == self.classes
        return np.concatenate([bits, last[:, None]], axis=1).astype(np.uint8)

    def as_bytes(self, words: np.ndarray) -> np.ndarray:
        """Words of :meth:`pack` as bytes of the packets, lowest first; uint8 (samples, bytes)."""
        octets = np.packbits(words[:, : self.width], axis=1, bitorder="little")
        return octets.reshape(-1, self.words * self.width // 8)

    def locate(self, word: int) -> tuple[int, int | None]:
        """Sample and class whose logit the ``word``-th word is; None for the word of the class."""
        sample, index = divmod(word, self.words)
        return sample, index if index < self.classes else None
