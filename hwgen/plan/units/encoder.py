"""Sizes of the input encoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, prod

from hwgen.errors import PlanError
from hwgen.network import Flatten, InputCode, Network
from hwgen.plan.units.geometry import Schedule, StreamPlan, WordLayout
from hwgen.plan.units.window_buffers import MAX_SLICE_WIDTH

INPUT_WIDTHS = tuple(8 << n for n in range(7))


@dataclass(frozen=True, kw_only=True)
class EncoderPlan:
    """The input encoder: AXI beats of pixels in, one plane of spikes per timestep out.

    Parameters
    ----------
    input_width : int
        Bits of a beat. With address events, each beat is one event.
    code : InputCode
        RADIX for direct input, whose bits are sent once.
    pixels_per_cycle : int
        Pixels taken from a beat per cycle.
    word_pixels : int
        Pixels of a word of the frame memory and of the stream.
    gain, seed : int
        Those of a Poisson input.
    """

    input_width: int
    pixel_bits: int
    code: InputCode
    pixels_per_cycle: int
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
        return prod(self.output.shape)

    @property
    def reads_address_events(self) -> bool:
        return self.code == InputCode.EVENTS

    @property
    def plane_depth(self) -> int:
        """Words of a plane of address events.

        Rows of pixels start at powers of two, so that an address is x and y side by side.
        """
        output = self.output
        if output.layout == WordLayout.RASTER:
            return output.words_per_plane
        return output.rows << (output.shape[2] - 1).bit_length()

    @property
    def event_fields(self) -> dict[str, tuple[int, int]]:
        """Lowest bit and width of each field of an address event."""
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
    def burst_words(self) -> int:
        """Words sent in one timestep before the next timestep starts: a row's or a plane's."""
        output = self.output
        is_row = output.schedule == Schedule.ROW
        return output.words_per_row if is_row else output.words_per_plane

    @property
    def beats(self) -> int:
        """Beats of a sample."""
        return ceil(self.sample_pixels / self.beat_pixels)


def plan_encoder(network: Network, input_width: int | None, schedule: Schedule) -> EncoderPlan:
    """Sizes of the input encoder; raises :class:`.PlanError` for an unsuitable ``input_width``."""
    source = network.input
    if source.code == InputCode.EVENTS:
        return _plan_address_events(network, input_width, schedule)
    pixel_bytes = 1 if source.pixel_bits <= 8 else 2
    raster = _is_raster(network)
    width = input_width if input_width is not None else (256 if raster else 32)
    _require_width(width, 8 * pixel_bytes, f"a pixel of {pixel_bytes} bytes")
    if raster:
        # Beyond the pixels of a sample a wider word would only be padding.
        pixels = prod(source.shape)
        per_cycle = min(width // (8 * pixel_bytes), MAX_SLICE_WIDTH)
        word = per_cycle
        while word < 8 and word < pixels:
            word *= 2
    else:
        per_cycle, word = 1, source.shape[0]
    return EncoderPlan(
        input_width=width,
        pixel_bits=source.pixel_bits,
        code=InputCode.RADIX if source.code == InputCode.DIRECT else source.code,
        pixels_per_cycle=per_cycle,
        word_pixels=word,
        output=_output(network, word, schedule),
        gain=source.gain,
        seed=source.seed,
    )


def _plan_address_events(
    network: Network, input_width: int | None, schedule: Schedule
) -> EncoderPlan:
    source = network.input
    if schedule != Schedule.TIME:
        raise PlanError(
            f"{source.name}: address events arrive one timestep after the other, so the schedule "
            f"must be 'time', not '{schedule}'"
        )
    word = source.shape[0]
    if _is_raster(network):
        word = min(32, 1 << (prod(source.shape) - 1).bit_length())
    encoder = EncoderPlan(
        input_width=INPUT_WIDTHS[-1],
        pixel_bits=1,
        code=source.code,
        pixels_per_cycle=1,
        word_pixels=word,
        output=_output(network, word, schedule),
    )
    bits = sum(encoder.event_fields["null"])
    if input_width is None:
        suitable = (width for width in INPUT_WIDTHS if width >= max(32, bits))
        input_width = min(suitable, default=INPUT_WIDTHS[-1])
    _require_width(input_width, bits, f"an address event of {bits} bits")
    return replace(encoder, input_width=input_width)


def _is_raster(network: Network) -> bool:
    """Whether the input's planes are cut into words without regard to pixels."""
    flat_names = {node.name for node in network if isinstance(node, Flatten)}
    return network.nodes[0].name in flat_names or network.input.shape[1:] == (1, 1)


def _output(network: Network, word: int, schedule: Schedule) -> StreamPlan:
    source = network.input
    return StreamPlan(
        node=source.name,
        shape=source.shape,
        timesteps=source.train_type.timesteps,
        width=word,
        layout=WordLayout.RASTER if _is_raster(network) else WordLayout.PIXEL,
        schedule=schedule,
    )


def _require_width(width: int, minimum: int, content: str) -> None:
    if width not in INPUT_WIDTHS or width < minimum:
        raise PlanError(
            f"input_width must be one of {', '.join(map(str, INPUT_WIDTHS))} and hold {content}, "
            f"not {width!r}"
        )
