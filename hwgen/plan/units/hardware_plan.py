"""The hardware plan: every size that the RTL, the cycle model and the testbench agree on.

Plain data. :mod:`hwgen.plan.assembly` makes it from a network; nothing here computes a spike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from hwgen.plan.units.geometry import StreamPlan, WindowPlan
from hwgen.plan.units.softmax import SoftmaxPlan


@dataclass(frozen=True, kw_only=True)
class EncoderPlan:
    """The input encoder: AXI beats of pixels in, one bit-plane of spikes a timestep out.

    ``word_pixels`` pixel values make a word of the frame memory and of the stream.
    ``piece_pixels`` of them are taken from a beat in a cycle. ``gain`` and ``seed`` are those of a
    Poisson input. ``code`` is "radix" of direct input, whose bits are sent once; of "events", a
    beat is an event.
    """

    input_width: int
    pixel_bits: int
    code: str
    piece_pixels: int
    word_pixels: int
    output: StreamPlan
    gain: int = 16
    seed: int = 1

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
    def plane_depth(self) -> int:
        """Words that a plane of events takes: rows of pixels start at powers of two, so that their
        addresses are x and y side by side."""
        output = self.output
        if output.layout == "raster":
            return output.words_per_plane
        return output.rows << (output.shape[2] - 1).bit_length()

    @property
    def event_fields(self) -> dict[str, tuple[int, int]]:
        """Lowest bit and width of each field of a beat that is an event."""
        channels, height, width = self.output.shape
        steps = self.output.timesteps
        sizes = {"x": width, "y": height, "channel": channels, "t": steps, "null": 2}
        fields, low = {}, 0
        for name, size in sizes.items():
            bits = max(1, (size - 1).bit_length())
            fields[name] = (low, bits)
            low += bits
        return fields

    @property
    def line_words(self) -> int:
        """Words that are sent in all timesteps before the next ones: a row, or a plane."""
        output = self.output
        return output.words_per_row if output.schedule == "row" else output.words_per_plane

    @property
    def beats(self) -> int:
        return ceil(self.sample_pixels / self.beat_pixels)


@dataclass(frozen=True, kw_only=True)
class SynapticPathPlan:
    """One projection's way into a layer: a window buffer, scanners, and their weight memories.

    ``kind`` is "events", a weight row for each spike; "masked", a weight row for each chunk of
    ``lanes`` spikes, each spike letting its own lane's weight through, for projections that join
    channel c to channel c alone; or "every", all chunks without weights, for pools.

    ``shared_taps`` tells that all taps have the same weights, so that one of them is stored.
    ``memory`` is where the weights, of ``weight_bits`` bits, lie (see
    :mod:`hwgen.rtl.synapses.weight_memory`);
    ``weight_share`` is how many of the stored weights are not zero.
    """

    source: str
    kind: str
    window: WindowPlan
    shared_taps: bool = False
    memory: str = "auto"
    weight_bits: int = 1
    weight_share: float = 1.0

    @property
    def weight_depth(self) -> int:
        """Rows of one scanner's weight memory."""
        window = self.window
        if self.kind == "every":
            return 1
        if self.kind == "masked":
            return window.rounds * window.window_chunks
        reads = window.chunks if self.shared_taps else window.window_chunks
        return window.rounds * reads * window.slice_width


@dataclass(frozen=True, kw_only=True)
class LayerPlan:
    """One layer processing unit.

    ``kind`` is "two-phase", "single-phase", "readout", "softmax" or "held"; ``softmax`` is the unit
    behind the membranes of a softmax. ``lanes`` output channels are summed together,
    ``membrane_lanes`` of them updated in a cycle. ``growth_in`` and ``growth_out`` are
    what membranes are multiplied by in each step of accumulation and of firing: N/2^m as (N, m),
    rounded down, so that (1, 0) is none and (2, 0) doubles; ``ramp_in`` tells that currents
    add up to slopes by which membranes climb (ttfs trains), ``ramp_out`` that membranes climb until
    they spike, once.

    A held layer is of single-phase neurons with direct input: it accumulates the bits of its input
    as a two-phase layer does, to a current of ``held_width`` bits, and then fires with that current
    in every step.

    A *pass* is what one bank of membranes accumulates and fires: a sample in the schedule
    ``time``, a row of one in ``row``.
    """

    node: str
    kind: str
    feeds: tuple[SynapticPathPlan, ...]
    fan_out: int
    lanes: int
    membrane_lanes: int
    timesteps_in: int
    timesteps_out: int
    growth_in: tuple[int, int]
    growth_out: tuple[int, int]
    ramp_in: bool = False
    ramp_out: bool = False
    frac_bits: int
    weight_bits: int
    current_width: int
    membrane_width: int
    banks: int
    output: StreamPlan
    softmax: SoftmaxPlan | None = None
    held_width: int = 0

    @property
    def is_single_phase(self) -> bool:
        """Each step's words leave in that step."""
        return self.kind in ("single-phase", "softmax")

    @property
    def gives_logits(self) -> bool:
        return self.kind in ("readout", "softmax")

    @property
    def window(self) -> WindowPlan:
        """That of the first projection; all of them give the same output pixels."""
        return self.feeds[0].window

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(feed.source for feed in self.feeds)

    @property
    def leak_in(self) -> bool:
        """Membranes double in each step of accumulation."""
        return self.growth_in == (2, 0)

    @property
    def leak_out(self) -> bool:
        """Membranes double in each step of firing; a read-out's as in accumulation."""
        return self.growth_out == (2, 0)

    @property
    def fractional(self) -> bool:
        """Membranes grow by a factor below 2 somewhere, so that they are rounded."""
        return self.growth_in[1] > 0 or self.growth_out[1] > 0

    @property
    def scanners(self) -> int:
        """Weight rows that can be added in a cycle."""
        return sum(feed.window.scanners for feed in self.feeds)

    @property
    def rounds(self) -> int:
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
    def passes(self) -> int:
        """Passes of a sample."""
        return self.window.out_rows if self.window.schedule == "row" else 1

    @property
    def positions(self) -> int:
        """Output pixels of a pass."""
        return self.window.out_rows * self.window.out_columns // self.passes

    @property
    def membrane_depth(self) -> int:
        """Membrane words of a pass."""
        return self.positions * self.words


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """A max-pool: the window buffer's candidates, one a cycle, raced against each other.

    ``count_bits`` are those of a candidate's spikes where they decide, and 0 for a race.
    """

    node: str
    source: str
    window: WindowPlan
    output: StreamPlan
    count_bits: int = 0

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    @property
    def feed(self) -> SynapticPathPlan:
        return SynapticPathPlan(source=self.source, kind="every", window=self.window)

    @property
    def candidates(self) -> int:
        """Candidates of one window."""
        return self.window.kernel[0] * self.window.kernel[1]

    @property
    def words(self) -> int:
        """Output words of a pass: a plane's, or a row's in the schedule ``row``."""
        rows = 1 if self.window.schedule == "row" else self.window.out_rows
        return rows * self.window.out_columns * self.window.rounds


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
        spiking = [s for s in self.stages if not (isinstance(s, LayerPlan) and s.gives_logits)]
        return (self.encoder.output, *(stage.output for stage in spiking))

    @property
    def layers(self) -> tuple[LayerPlan, ...]:
        return tuple(stage for stage in self.stages if isinstance(stage, LayerPlan))

    def stream(self, node: str) -> StreamPlan:
        """The stream that carries the trains of ``node``, an input, layer or pool."""
        if node == self.encoder.output.node:
            return self.encoder.output
        return next(stage.output for stage in self.stages if stage.node == node)

    def consumers(self, node: str) -> int:
        """Window buffers that the stream of ``node`` goes to."""
        return sum(stage.sources.count(node) for stage in self.stages)

    def to_json(self) -> dict[str, Any]:
        """Plain values; :func:`hwgen.plan.assembly.plan_from_json` reads them back."""
        return asdict(self)
