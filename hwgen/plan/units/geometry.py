"""Geometry of streams and windows: order of the words, and which of them each window reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import ceil

from hwgen.network import Pair, Shape


class Schedule(StrEnum):
    """Order in which the words of a sample are sent."""

    ROW = "row"
    """y, t, x, c: each row in all timesteps, then the next row."""
    TIME = "time"
    """t, y, x, c: each timestep's whole plane, then the next timestep."""


class WordLayout(StrEnum):
    """Which spikes of a plane share a word."""

    PIXEL = "pixel"
    """Channels of one pixel."""
    RASTER = "raster"
    """Consecutive values in the order y, x, c; the plane counts as one row."""


@dataclass(frozen=True, kw_only=True)
class StreamPlan:
    """A stream of spike words between two units.

    Parameters
    ----------
    node : str
        Node whose spike trains it carries.
    shape : (channels, height, width)
    width : int
        Bits of a word.
    """

    node: str
    shape: Shape
    timesteps: int
    width: int
    layout: WordLayout = WordLayout.PIXEL
    schedule: Schedule = Schedule.TIME

    @property
    def words_per_pixel(self) -> int:
        return ceil(self.shape[0] / self.width)

    @property
    def rows(self) -> int:
        """Rows of a plane, each of ``words_per_row`` words."""
        return 1 if self.layout == WordLayout.RASTER else self.shape[1]

    @property
    def words_per_row(self) -> int:
        channels, height, width = self.shape
        if self.layout == WordLayout.RASTER:
            return ceil(channels * height * width / self.width)
        return self.words_per_pixel * width

    @property
    def words_per_plane(self) -> int:
        return self.words_per_row * self.rows

    @property
    def words_per_sample(self) -> int:
        return self.words_per_plane * self.timesteps


@dataclass(frozen=True, kw_only=True)
class WindowPlan:
    """A window buffer: takes the words of a map, gives the chunks of each output pixel's window.

    A map has ``rows`` × ``columns`` pixels of ``words`` words of ``word_width`` bits; ``pack``
    words make a chunk. An incomplete last chunk is filled from the top. A ``wide`` window stores
    a whole row of the kernel as one chunk, which pays where that row is narrow. Each output pixel
    is read ``rounds`` times; in a ``depthwise`` window, round g reads chunk g alone.

    The buffer holds ``slots`` rows: of all timesteps with :attr:`Schedule.ROW`, of one timestep
    with :attr:`Schedule.TIME`.

    ``order`` lists the bits of a chunk that each scanner owns, scanner by scanner, −1 for none;
    where it is empty, bit n belongs to scanner n mod ``scanners``.

    ``pad_planes`` holds the bits of a tap outside the map for each timestep and chunk of a pixel;
    empty where such taps are silent.
    """

    word_width: int
    timesteps: int
    rows: int
    columns: int
    words: int
    pack: int
    kernel: Pair
    stride: Pair
    padding: tuple[int, int, int, int]
    rounds: int
    scanners: int
    slots: int
    schedule: Schedule = Schedule.TIME
    wide: bool = False
    depthwise: bool = False
    order: tuple[int, ...] = ()
    pad_planes: tuple[tuple[int, ...], ...] = ()

    @property
    def chunks(self) -> int:
        """Chunks of a pixel."""
        return ceil(self.words / self.pack)

    @property
    def pixel_width(self) -> int:
        """Bits of a chunk of one pixel."""
        return self.word_width * self.pack

    @property
    def chunk_width(self) -> int:
        return self.pixel_width * (self.kernel[1] if self.wide else 1)

    @property
    def slice_width(self) -> int:
        """Bits of a chunk that one scanner owns."""
        return ceil(self.chunk_width / self.scanners)

    @cached_property
    def owned_bits(self) -> tuple[tuple[int, ...], ...]:
        """Bits of a chunk that each scanner owns, −1 for none; shape (scanners, slice_width)."""
        order = self.order or tuple(
            bit if bit < self.chunk_width else -1
            for first in range(self.scanners)
            for bit in range(first, self.scanners * self.slice_width, self.scanners)
        )
        size = self.slice_width
        return tuple(order[n * size : (n + 1) * size] for n in range(self.scanners))

    @property
    def kernel_row_chunks(self) -> int:
        """Chunks of one row of the kernel."""
        if self.wide:
            return 1
        return self.kernel[1] * (1 if self.depthwise else self.chunks)

    @property
    def window_chunks(self) -> int:
        """Chunks of one window."""
        return self.kernel[0] * self.kernel_row_chunks

    @property
    def planes(self) -> int:
        """Timesteps in which a row is sent before the next row."""
        return self.timesteps if self.schedule == Schedule.ROW else 1

    @property
    def row_chunks(self) -> int:
        """Memory words of one row in one timestep."""
        return self.out_columns if self.wide else self.columns * self.chunks

    @property
    def row_pitch(self) -> int:
        """Distance of rows in memory words: a power of two, so that addresses need no adder."""
        return 1 << (self.row_chunks - 1).bit_length()

    @property
    def depth(self) -> int:
        return self.slots * self.planes * self.row_pitch

    @property
    def flush_chunks(self) -> int:
        """Chunks that a wide window writes after each row, for taps beyond its last pixel."""
        if not self.wide:
            return 0
        newest = (self.out_columns - 1) * self.stride[1] - self.padding[1] + self.kernel[1] - 1
        return max(0, newest - self.columns + 1)

    @property
    def out_rows(self) -> int:
        extent = self.rows + self.padding[0] + self.padding[2] - self.kernel[0]
        return extent // self.stride[0] + 1

    @property
    def out_columns(self) -> int:
        extent = self.columns + self.padding[1] + self.padding[3] - self.kernel[1]
        return extent // self.stride[1] + 1

    def first_row(self, out_row: int) -> int:
        """Oldest row of the map that the windows of ``out_row`` read."""
        return max(0, out_row * self.stride[0] - self.padding[0])

    def last_row(self, out_row: int) -> int:
        """Newest row that the windows of ``out_row`` wait for, with rows that the stride skips.

        The last windows wait for the whole map, so that all of it can be released.
        """
        if out_row == self.out_rows - 1:
            return self.rows - 1
        newest = out_row * self.stride[0] - self.padding[0] + self.kernel[0] - 1
        return min(max(newest, self.first_row(out_row + 1) - 1), self.rows - 1)

    def rows_needed(self, out_row: int) -> int:
        """Rows, from the oldest one on, that must be stored before the newest one arrives."""
        return self.last_row(out_row) - self.first_row(out_row)

    def rows_released(self, out_row: int) -> int:
        """Rows that are free once the windows of ``out_row`` are read."""
        if out_row == self.out_rows - 1:
            return self.rows - self.first_row(out_row)
        return self.first_row(out_row + 1) - self.first_row(out_row)

    @property
    def min_slots(self) -> int:
        """Fewest slots with which the windows of every output row can be read."""
        return max(self.rows_needed(y) + 1 for y in range(self.out_rows))

    def newest_chunk(self, out_column: int) -> int:
        """Memory word of the newest row that a window waits for.

        The last window of a row waits for the whole row: ``row_chunks``, which is never written.
        """
        if out_column == self.out_columns - 1:
            return self.row_chunks
        if self.wide:
            return out_column
        newest = out_column * self.stride[1] - self.padding[1] + self.kernel[1] - 1
        if newest >= self.columns:
            return self.row_chunks
        return (max(newest, 0) + 1) * self.chunks - 1
