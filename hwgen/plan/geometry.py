"""Geometry of streams and windows: which words come, and which of them a window reads."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from hwgen.network import Pair, Shape


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
    """

    node: str
    shape: Shape
    timesteps: int
    width: int
    layout: str = "pixel"

    @property
    def words_per_pixel(self) -> int:
        return ceil(self.shape[0] / self.width)

    @property
    def words_per_plane(self) -> int:
        channels, height, width = self.shape
        if self.layout == "raster":
            return ceil(channels * height * width / self.width)
        return self.words_per_pixel * height * width

    @property
    def words_per_sample(self) -> int:
        return self.words_per_plane * self.timesteps


@dataclass(frozen=True, kw_only=True)
class WindowPlan:
    """The window buffer: words of a map in, the chunks of each output pixel's window out.

    A map has ``rows`` × ``columns`` pixels of ``words`` words; ``pack`` words make a chunk. A
    flattened map is one pixel with all its words. ``fold`` windows are read at each output
    pixel; in a ``depthwise`` one, window g reads chunk g alone.

    ``pad_planes`` holds, for each timestep and chunk, the bits of a tap outside the map; empty
    where those are silent.
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
    fold: int
    scanners: int
    depthwise: bool = False
    pad_planes: tuple[tuple[int, ...], ...] = ()

    @property
    def chunks(self) -> int:
        """Chunks of a pixel."""
        return ceil(self.words / self.pack)

    @property
    def chunk_width(self) -> int:
        return self.word_width * self.pack

    @property
    def slice_width(self) -> int:
        """Bits of a chunk that one scanner owns."""
        return ceil(self.chunk_width / self.scanners)

    @property
    def out_rows(self) -> int:
        return (self.rows + self.padding[0] + self.padding[2] - self.kernel[0]) // self.stride[
            0
        ] + 1

    @property
    def out_columns(self) -> int:
        return (self.columns + self.padding[1] + self.padding[3] - self.kernel[1]) // self.stride[
            1
        ] + 1

    @property
    def buffer_rows(self) -> int:
        """A window's rows, and the rows that come in meanwhile."""
        return min(self.kernel[0] + self.stride[0], 2 * self.rows)

    @property
    def depth(self) -> int:
        return self.buffer_rows * self.columns * self.chunks

    @property
    def window_chunks(self) -> int:
        """Chunks of one window."""
        return self.kernel[0] * self.kernel[1] * (1 if self.depthwise else self.chunks)

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

    def last_column(self, out_column: int) -> int:
        """The newest column of the newest row that a window waits for."""
        if out_column == self.out_columns - 1:
            return self.columns - 1
        return out_column * self.stride[1] - self.padding[1] + self.kernel[1] - 1
