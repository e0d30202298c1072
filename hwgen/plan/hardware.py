"""The hardware plan: every size that the RTL, the cycle model and the testbench agree on.

Plain data. :mod:`hwgen.plan.folding` makes it from a network; nothing here computes a spike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from hwgen.network import Pair, Shape

MAX_CHUNK_WIDTH = 32
"""Bits that one scanner searches in a cycle; wider ones cost clock speed."""


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
class EncoderPlan:
    """The input encoder: AXI beats of pixels in, one bit-plane of spikes a timestep out.

    ``word_pixels`` pixel values make a word of the frame memory and of the stream.
    ``piece_pixels`` of them are taken from a beat in a cycle.
    """

    input_width: int
    pixel_bits: int
    code: str
    piece_pixels: int
    word_pixels: int
    output: StreamPlan

    @property
    def pixel_bytes(self) -> int:
        return 1 if self.pixel_bits <= 8 else 2

    @property
    def beat_pixels(self) -> int:
        return self.input_width // (8 * self.pixel_bytes)

    @property
    def sample_pixels(self) -> int:
        channels, height, width = self.output.shape
        return channels * height * width

    @property
    def beats(self) -> int:
        return ceil(self.sample_pixels / self.beat_pixels)


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


@dataclass(frozen=True, kw_only=True)
class LayerPlan:
    """One layer processing unit.

    ``kind`` is "two-phase", "single-phase" or "readout". ``lanes`` output channels are summed
    together, ``membrane_lanes`` of them updated in a cycle. ``leak_in`` and ``leak_out`` tell
    whether membranes double in each step of accumulation and of firing.
    """

    node: str
    kind: str
    window: WindowPlan
    fan_out: int
    lanes: int
    membrane_lanes: int
    timesteps_in: int
    timesteps_out: int
    leak_in: bool
    leak_out: bool
    frac_bits: int
    weight_bits: int
    current_width: int
    membrane_width: int
    banks: int
    output: StreamPlan

    @property
    def fold(self) -> int:
        return ceil(self.fan_out / self.lanes)

    @property
    def words(self) -> int:
        """Membrane words of one output pixel."""
        return ceil(self.fan_out / self.membrane_lanes)

    @property
    def parts(self) -> int:
        """Membrane words of one group of lanes."""
        return self.lanes // self.membrane_lanes

    @property
    def positions(self) -> int:
        return self.window.out_rows * self.window.out_columns

    @property
    def membrane_depth(self) -> int:
        return self.positions * self.words

    @property
    def weight_depth(self) -> int:
        """Rows of one scanner's weight memory."""
        return self.fold * self.window.window_chunks * self.window.slice_width


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """A max-pool: the window buffer's candidates, one a cycle, raced against each other."""

    node: str
    window: WindowPlan
    output: StreamPlan

    @property
    def candidates(self) -> int:
        """Candidates of one window."""
        return self.window.kernel[0] * self.window.kernel[1]

    @property
    def words(self) -> int:
        """Output words of a plane."""
        return self.window.out_rows * self.window.out_columns * self.window.fold


Stage = LayerPlan | PoolPlan


@dataclass(frozen=True, kw_only=True)
class HardwarePlan:
    """All units of a network in the order of its data flow."""

    name: str
    schedule: str
    pipeline: str
    encoder: EncoderPlan
    stages: tuple[Stage, ...]
    logit_width: int
    counters: bool

    @property
    def streams(self) -> tuple[StreamPlan, ...]:
        """The inter-layer streams that carry spikes, in the order of the data flow."""
        spiking = [s for s in self.stages if not (isinstance(s, LayerPlan) and s.kind == "readout")]
        return (self.encoder.output, *(stage.output for stage in spiking))

    @property
    def layers(self) -> tuple[LayerPlan, ...]:
        return tuple(stage for stage in self.stages if isinstance(stage, LayerPlan))

    def to_json(self) -> dict[str, Any]:
        """Plain values; :func:`hwgen.plan.folding.plan_from_json` reads them back."""
        return asdict(self)
