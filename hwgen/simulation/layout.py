"""Position of each spike of a train in the words of a stream: the only place that knows it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from hwgen.artefact.build_folder import StreamEntry
from hwgen.errors import ArtefactError
from hwgen.plan.units.geometry import Schedule, WordLayout


class SpikePosition(NamedTuple):
    """Position of a spike: timesteps count from 1, everything else from 0."""

    sample: int
    timestep: int
    row: int
    column: int
    channel: int


@dataclass(frozen=True)
class StreamLayout:
    """Order of the spikes in the words of an inter-layer stream, as in ``docs/hardware.md``."""

    entry: StreamEntry

    @property
    def node(self) -> str:
        """Node whose trains the stream carries."""
        return self.entry.node

    @property
    def train_shape(self) -> tuple[int, int, int, int]:
        """(timesteps, channels, height, width)."""
        return (self.entry.timesteps, *self.entry.shape)

    @cached_property
    def order(self) -> np.ndarray:
        """Spike that each bit of a sample's words carries.

        int64 array, shape (words per sample, width): an index into the flattened train of shape
        (timesteps, channels, height, width), or −1 for a padding bit.
        """
        entry = self.entry
        is_pixel = entry.layout is WordLayout.PIXEL
        channels, height, width = entry.shape
        spikes = np.arange(channels * height * width).reshape(entry.shape)
        raster = spikes.transpose(1, 2, 0)  # y, x, c
        lines = raster.reshape(height * width if is_pixel else 1, -1)
        padding = -lines.shape[1] % entry.width
        lines = np.pad(lines, ((0, 0), (0, padding)), constant_values=-1)
        rows = lines.reshape(height if is_pixel else 1, -1, entry.width)
        steps = np.arange(entry.timesteps)[:, None, None, None] * spikes.size
        words = np.where(rows < 0, -1, rows + steps)
        if entry.schedule is Schedule.ROW:
            words = words.swapaxes(0, 1)
        return words.reshape(-1, entry.width)

    @property
    def words(self) -> int:
        """Words per sample."""
        return len(self.order)

    def pack(self, trains: np.ndarray) -> np.ndarray:
        """Pack the trains of some samples into words.

        ``trains`` are 0 and 1, shape (samples, timesteps, channels, height, width); the result is
        uint8 of 0 and 1, shape (samples · words, width), bit 0 first.
        """
        shape = trains.shape[1:]
        if shape != self.train_shape:
            raise ArtefactError(
                f"stream {self.entry.tap} ({self.node}): its trains are {shape} in the network, "
                f"but {self.train_shape} in the manifest; generate the build folder again"
            )
        flat = trains.reshape(len(trains), -1).astype(np.uint8, copy=False)
        flat = np.pad(flat, ((0, 0), (0, 1)))  # index −1 gives a 0
        return flat[:, self.order].reshape(-1, self.entry.width)

    def locate(self, word: int, bit: int) -> SpikePosition | None:
        """Spike in bit ``bit`` of word number ``word`` since reset; None for a padding bit."""
        sample, index = divmod(word, self.words)
        spike = int(self.order[index, bit])
        if spike < 0:
            return None
        step, channel, row, column = np.unravel_index(spike, self.train_shape)
        return SpikePosition(sample, int(step) + 1, int(row), int(column), int(channel))


@dataclass(frozen=True, kw_only=True)
class ResultLayout:
    """Order of the words in a sample's output packet: its logits, then its class with ``last``.

    ``width`` is that of a word without ``last``.
    """

    logits: int
    width: int

    @property
    def words(self) -> int:
        """Words per sample."""
        return self.logits + 1

    def pack(self, logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Pack the results of some samples into words with ``last`` as their highest bit.

        ``logits`` has shape (samples, logits), ``classes`` (samples,); the result is uint8 of 0
        and 1, shape (samples · words, width + 1), bit 0 first.
        """
        values = np.concatenate([logits, classes[:, None]], axis=1).astype(np.int64).reshape(-1, 1)
        bits = (values >> np.minimum(np.arange(self.width), 63)) & 1
        last = np.arange(len(values)) % self.words == self.logits
        return np.concatenate([bits, last[:, None]], axis=1).astype(np.uint8)

    def as_bytes(self, words: np.ndarray) -> np.ndarray:
        """Packets of the words of :meth:`pack`, lowest byte first; uint8 (samples, bytes)."""
        octets = np.packbits(words[:, : self.width], axis=1, bitorder="little")
        return octets.reshape(-1, self.words * self.width // 8)

    def locate(self, word: int) -> tuple[int, int | None]:
        """Sample and class of the logit in word number ``word``; class None for the class word."""
        sample, index = divmod(word, self.words)
        return sample, index if index < self.logits else None
