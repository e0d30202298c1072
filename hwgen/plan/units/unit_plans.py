"""The sizes of each unit: encoder, layer, max-pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from hwgen.errors import PlanError
from hwgen.network import (
    Conv2d,
    Flatten,
    Layer,
    MaxPool2d,
    Network,
    Projection,
    Readout,
    SoftmaxReadout,
    TrainType,
)
from hwgen.plan.units import widths
from hwgen.plan.units.geometry import StreamPlan, WindowPlan
from hwgen.plan.units.hardware_plan import EncoderPlan, LayerPlan, PoolPlan, SynapticPathPlan
from hwgen.plan.units.options import Asked, LayerOptions, limit, place_weights
from hwgen.plan.units.softmax import plan_softmax
from hwgen.plan.units.window_buffers import MAX_SLICE_WIDTH, plan_path, usual_slots

DEFAULT_LANES = 16
MAX_PARTS = 16
"""Cycles in which the membrane unit may take one group of lanes."""
USUAL_DENSITY = 0.16
"""Share of the bits that are set in a converted network."""
MAX_MEMBRANE_WIDTH = 64
"""Bits of the widest result word."""
INPUT_WIDTHS = tuple(8 << n for n in range(7))


def plan_encoder(network: Network, input_width: int | None, schedule: str) -> EncoderPlan:
    given = network.input
    if given.code == "events":
        return _plan_events(network, input_width, schedule)
    pixel_bytes = 1 if given.pixel_bits <= 8 else 2
    raster = _is_raster(network)
    width = input_width if input_width is not None else (256 if raster else 32)
    if width not in INPUT_WIDTHS or width < 8 * pixel_bytes:
        raise PlanError(
            f"input_width must be one of {', '.join(map(str, INPUT_WIDTHS))} and hold a pixel of "
            f"{pixel_bytes} bytes, not {width!r}"
        )
    beat_pixels = width // (8 * pixel_bytes)
    if raster:
        # Past the pixels of a sample a wider word is only padding.
        pixels = int(np.prod(given.shape))
        piece = min(beat_pixels, MAX_SLICE_WIDTH)
        word = piece
        while word < 8 and word < pixels:
            word *= 2
        layout = "raster"
    else:
        piece, word, layout = 1, given.shape[0], "pixel"
    output = StreamPlan(
        node=given.name,
        shape=given.shape,
        timesteps=given.train_type.timesteps,
        width=word,
        layout=layout,
        schedule=schedule,
    )
    return EncoderPlan(
        input_width=width,
        pixel_bits=given.pixel_bits,
        code=given.train_type.code if given.train_type.constant_steps else given.code,
        piece_pixels=piece,
        word_pixels=word,
        output=output,
        gain=given.gain,
        seed=given.seed,
    )


def _is_raster(network: Network) -> bool:
    """Whether the input's planes are cut into words without regard to pixels."""
    flat_names = {node.name for node in network if isinstance(node, Flatten)}
    return network.nodes[0].name in flat_names or network.input.shape[1:] == (1, 1)


def _plan_events(network: Network, input_width: int | None, schedule: str) -> EncoderPlan:
    given = network.input
    if schedule != "time":
        raise PlanError(
            f"{given.name}: address events come one timestep after the other, so the schedule must "
            f"be 'time', not {schedule!r}"
        )
    layout, word = "pixel", given.shape[0]
    if _is_raster(network):
        layout, word = "raster", min(32, 1 << (int(np.prod(given.shape)) - 1).bit_length())
    encoder = EncoderPlan(
        input_width=INPUT_WIDTHS[-1],
        pixel_bits=1,
        code=given.code,
        piece_pixels=1,
        word_pixels=word,
        output=StreamPlan(
            node=given.name,
            shape=given.shape,
            timesteps=given.timesteps,
            width=word,
            layout=layout,
            schedule=schedule,
        ),
    )
    least = sum(encoder.event_fields["null"])
    width = min((n for n in INPUT_WIDTHS if n >= max(32, least)), default=INPUT_WIDTHS[-1])
    width = width if input_width is None else input_width
    if width not in INPUT_WIDTHS or width < least:
        raise PlanError(
            f"input_width must be one of {', '.join(map(str, INPUT_WIDTHS))} and hold an event of "
            f"{least} bits, not {width!r}"
        )
    return replace(encoder, input_width=width)


@dataclass(frozen=True, kw_only=True)
class LayerEnds:
    """What a layer stands between.

    Parameters
    ----------
    sources, given
        The streams and signals of its projections, in turn.
    result : TrainType
    banks : int
        Of membranes: 2 where it fires one pass while it accumulates the next.
    """

    sources: tuple[StreamPlan, ...]
    given: tuple[TrainType, ...]
    result: TrainType
    banks: int


def max_scanners(layer: Layer, given: Sequence[TrainType]) -> int:
    """Scanners that can share the inputs of a layer's projections."""
    return max(
        _inputs(p, train_type) for p, train_type in zip(layer.projections, given, strict=True)
    )


def plan_layer(layer: Layer, ends: LayerEnds, options: LayerOptions) -> LayerPlan:
    """The unit of ``layer``."""
    sources, given, result = ends.sources, ends.given, ends.result
    name, fan_out = layer.name, result.shape[0]
    lane_count = limit("lanes", name, options.lanes, DEFAULT_LANES, fan_out, "output channels")
    most = max_scanners(layer, given)
    scanner_count = limit("scanners", name, options.scanners, 1, most, "inputs")
    widest = max(_fan_in(projection) for projection in layer.projections)
    feeds = tuple(
        plan_path(
            projection,
            source,
            train_type,
            fan_out=fan_out,
            lanes=lane_count,
            # Scanners by the share of work: all of a layer's projections run side by side.
            scanners=ceil(scanner_count * _fan_in(projection) / widest),
        )
        for projection, source, train_type in zip(layer.projections, sources, given, strict=True)
    )
    feeds = place_weights(name, feeds, options)
    timesteps_out = 1 if isinstance(layer.neuron, Readout) else result.timesteps
    spikes = [_window_cycles(*pair) for pair in zip(layer.projections, feeds, strict=True)]
    # Each window's words go through the membrane unit once, and again when they fire.
    cycles = max(spikes) / (1 + timesteps_out / given[0].timesteps)
    parts = _choose_parts(name, lane_count, options.membrane_lanes, cycles)
    membrane_width = widths.membrane_width(layer, given[0])
    if membrane_width > MAX_MEMBRANE_WIDTH:
        raise PlanError(
            f"{name}: its membranes need {membrane_width} bits, but {MAX_MEMBRANE_WIDTH} are the "
            f"most; convert with fewer threshold_frac_bits, timesteps or weight bits"
        )
    neuron = layer.neuron
    weight_low = min(int(p.weights.min()) for p in layer.projections)
    weight_high = max(int(p.weights.max()) for p in layer.projections)
    if isinstance(neuron, Readout):
        kind, frac_bits = "readout", neuron.frac_bits
    elif isinstance(neuron, SoftmaxReadout):
        kind, frac_bits = "softmax", 0
    else:
        frac_bits = neuron.frac_bits
        single = "held" if given[0].constant_steps else "single-phase"
        kind = "two-phase" if neuron.two_phase else single
    return LayerPlan(
        node=name,
        kind=kind,
        feeds=feeds,
        fan_out=fan_out,
        lanes=lane_count,
        membrane_lanes=lane_count // parts,
        timesteps_in=given[0].timesteps,
        timesteps_out=timesteps_out,
        growth_in=_growth(given[0]),
        growth_out=_growth(result),
        ramp_in=given[0].code == "ttfs",
        ramp_out=kind != "readout" and result.code == "ttfs",
        frac_bits=frac_bits,
        weight_bits=widths.signed_width(weight_low, weight_high),
        current_width=widths.current_width(layer),
        membrane_width=membrane_width,
        banks=1 if kind in ("single-phase", "softmax") else ends.banks,
        held_width=widths.held_width(layer, given[0]) if kind == "held" else 0,
        output=StreamPlan(
            node=name,
            shape=result.shape,
            timesteps=result.timesteps,
            width=lane_count // parts,
            schedule=sources[0].schedule,
        ),
        softmax=plan_softmax(layer, neuron) if isinstance(neuron, SoftmaxReadout) else None,
    )


def _growth(train_type: TrainType) -> tuple[int, int]:
    """What a step of such trains multiplies a membrane by, N/2^m as (N, m)."""
    if train_type.code != "radix":
        return (1, 0)
    leak = train_type.leak
    return ((1 << leak.m) + leak.n, leak.m)


def _fan_in(projection: Projection) -> int:
    """Inputs of one channel."""
    return int(projection.weights[0].size)


def _inputs(projection: Projection, given: TrainType) -> int:
    """Inputs that scanners can share: a row of a kernel's, or all of a linear one's."""
    taps = projection.weights.shape[3] if isinstance(projection, Conv2d) else 1
    return given.shape[0] * taps


def _window_cycles(projection: Projection, feed: SynapticPathPlan) -> float:
    """Cycles that a window is expected to take: a read a chunk, or an event a spike."""
    chunks = feed.window.window_chunks
    if feed.kind == "masked":
        return chunks
    return max(chunks, _fan_in(projection) * USUAL_DENSITY / feed.window.scanners)


def _choose_parts(name: str, lanes: int, membrane_lanes: Asked, cycles: float) -> int:
    """Cycles in which the membrane unit takes one group of lanes: not more than ``cycles``."""
    asked, by_name = membrane_lanes
    divisors = [n for n in range(1, lanes + 1) if lanes % n == 0]
    if asked is not None:
        if by_name and lanes % asked:
            raise PlanError(
                f"{name}: membrane_lanes {asked} must divide its {lanes} lanes; "
                f"give one of {', '.join(map(str, divisors))}"
            )
        return lanes // max(n for n in divisors if n <= asked)
    most = max(1, min(MAX_PARTS, int(cycles)))
    parts = max(n for n in divisors if n <= most)
    # A word wider than a scanner can search makes the next layer slow.
    while lanes // parts > MAX_SLICE_WIDTH:
        larger = [n for n in divisors if n > parts]
        parts = larger[0]
    return parts


def plan_pool(pool: MaxPool2d, source: StreamPlan, result: TrainType) -> PoolPlan:
    window = WindowPlan(
        word_width=source.width,
        timesteps=source.timesteps,
        rows=source.shape[1],
        columns=source.shape[2],
        words=source.words_per_pixel,
        pack=1,
        kernel=pool.kernel,
        stride=pool.stride,
        padding=pool.padding,
        rounds=source.words_per_pixel,
        scanners=1,
        slots=1,
        schedule=source.schedule,
        depthwise=True,
    )
    window = replace(window, slots=usual_slots(window))
    output = StreamPlan(
        node=pool.name,
        shape=result.shape,
        timesteps=result.timesteps,
        width=source.width,
        schedule=source.schedule,
    )
    return PoolPlan(
        node=pool.name,
        source=source.node,
        window=window,
        output=output,
        count_bits=0 if result.in_order else result.timesteps.bit_length(),
    )
