"""Geometry of streams and windows: which words come, and which of them a window reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

from hwgen.network import Pair, Shape

SCHEDULES = ("time", "row")


@dataclass(frozen=True, kw_only=True)
class StreamPlan:
    """A stream of spike words between two units.

    Parameters
    ----------
    node : str
        The node whose trains it carries.
    shape : (channels, height, width)
    timesteps : int
    width : int
        Bits of a word.
    layout : "pixel" or "raster"
        "pixel": a word holds ``width`` channels of one pixel; "raster": a plane's values in the
        order y, x, c are cut into words.
    schedule : "time" or "row"
        The order of the words: t, y, x, c or y, t, x, c. A raster plane counts as one row.
    """

    node: str
    shape: Shape
    timesteps: int
    width: int
    layout: str = "pixel"
    schedule: str = "time"

    @property
    def words_per_pixel(self) -> int:
        return ceil(self.shape[0] / self.width)

    @property
    def rows(self) -> int:
        """Rows of a plane, each of ``words_per_row`` words."""
        return 1 if self.layout == "raster" else self.shape[1]

    @property
    def words_per_row(self) -> int:
        channels, height, width = self.shape
        if self.layout == "raster":
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
    """The window buffer: words of a map in, the chunks of each output pixel's window out.

    A map has ``rows`` × ``columns`` pixels of ``words`` words; ``pack`` words make a chunk, the
    last chunk of a pixel being filled from the top. Where a row of the kernel is narrow enough, a
    ``wide`` window keeps and reads it as one chunk. ``rounds`` windows are read at each output
    pixel; in a ``depthwise`` one, window g reads chunk g alone.

    ``slots`` rows are held, each of all its timesteps where the schedule is ``row``, or of one.

    Each of ``scanners`` scanners owns the bits ``places[n]`` of every chunk; ``order`` lists those
    of all scanners (−1 for none), and is empty where they simply take turns.

    ``pad_planes`` holds, for each timestep and chunk of a pixel, the bits of a tap outside the
    map; empty where those are silent.
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
    schedule: str = "time"
    wide: bool = False
    depthwise: bool = False
    order: tuple[int, ...] = ()
    pad_planes: tuple[tuple[int, ...], ...] = ()

    # --- chunks -----------------------------------------------------------------------------

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
    def places(self) -> tuple[tuple[int, ...], ...]:
        """The bits of a chunk that each scanner owns; −1 for none. Shape (scanners, slice)."""
        order = self.order or tuple(
            bit if bit < self.chunk_width else -1
            for first in range(self.scanners)
            for bit in range(first, self.scanners * self.slice_width, self.scanners)
        )
        size = self.slice_width
        return tuple(order[n * size : (n + 1) * size] for n in range(self.scanners))

    @property
    def run(self) -> int:
        """Chunks of one row of the kernel."""
        if self.wide:
            return 1
        return self.kernel[1] * (1 if self.depthwise else self.chunks)

    @property
    def window_chunks(self) -> int:
        """Chunks of one window."""
        return self.kernel[0] * self.run

    # --- the buffer -------------------------------------------------------------------------

    @property
    def planes(self) -> int:
        """Timesteps of a row that come together."""
        return self.timesteps if self.schedule == "row" else 1

    @property
    def row_chunks(self) -> int:
        """Memory words of one row in one timestep."""
        return self.out_columns if self.wide else self.columns * self.chunks

    @property
    def pitch(self) -> int:
        """Memory words from a row to the next: a power of two, so that addresses are not added."""
        return 1 << (self.row_chunks - 1).bit_length()

    @property
    def depth(self) -> int:
        return self.slots * self.planes * self.pitch

    @property
    def flush(self) -> int:
        """Chunks that a wide window writes after a row, for taps beyond its last pixel."""
        if not self.wide:
            return 0
        newest = (self.out_columns - 1) * self.stride[1] - self.padding[1] + self.kernel[1] - 1
        return max(0, newest - self.columns + 1)

    # --- which rows and columns an output pixel reads ---------------------------------------

    @property
    def out_rows(self) -> int:
        extent = self.rows + self.padding[0] + self.padding[2] - self.kernel[0]
        return extent // self.stride[0] + 1

    @property
    def out_columns(self) -> int:
        extent = self.columns + self.padding[1] + self.padding[3] - self.kernel[1]
        return extent // self.stride[1] + 1

    def first_row(self, out_row: int) -> int:
        """The oldest row of the map that the windows of ``out_row`` read."""
        return max(0, out_row * self.stride[0] - self.padding[0])

    def last_row(self, out_row: int) -> int:
        """The newest row that they wait for, rows that a long stride skips included.

        The last windows wait for the whole map, so that all of it can be released.
        """
        if out_row == self.out_rows - 1:
            return self.rows - 1
        newest = out_row * self.stride[0] - self.padding[0] + self.kernel[0] - 1
        return min(max(newest, self.first_row(out_row + 1) - 1), self.rows - 1)

    def rows_needed(self, out_row: int) -> int:
        """Rows from the oldest one on that must have come before the newest one."""
        return self.last_row(out_row) - self.first_row(out_row)

    def rows_released(self, out_row: int) -> int:
        """Rows that nobody needs once the windows of ``out_row`` are read."""
        if out_row == self.out_rows - 1:
            return self.rows - self.first_row(out_row)
        return self.first_row(out_row + 1) - self.first_row(out_row)

    @property
    def min_slots(self) -> int:
        """Rows without which the windows of some output row could never be read."""
        return max(self.rows_needed(y) + 1 for y in range(self.out_rows))

    def newest_chunk(self, out_column: int) -> int:
        """The memory word of the newest row that a window waits for.

        The last windows of a row wait for all of it: ``row_chunks``, which is never written.
        """
        if out_column == self.out_columns - 1:
            return self.row_chunks
        if self.wide:
            return out_column
        newest = out_column * self.stride[1] - self.padding[1] + self.kernel[1] - 1
        if newest >= self.columns:
            return self.row_chunks
        return (max(newest, 0) + 1) * self.chunks - 1
