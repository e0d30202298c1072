"""The sizes of each unit: encoder, layer, max-pool."""

from __future__ import annotations

import numpy as np

from hwgen.errors import PlanError
from hwgen.network import (
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    Network,
    ReadOut,
    Signal,
    SoftResetNeuron,
)
from hwgen.plan import widths
from hwgen.plan.geometry import StreamPlan, WindowPlan
from hwgen.plan.hardware import EncoderPlan, LayerPlan, PoolPlan
from hwgen.plan.options import Asked, limit
from hwgen.plan.windows import layer_window

DEFAULT_LANES = 16
MAX_CHUNK_WIDTH = 32
"""Bits that one scanner searches in a cycle; wider ones cost clock speed."""
MAX_PARTS = 16
"""Cycles in which the membrane unit may take one group of lanes."""
MAX_MEMBRANE_WIDTH = 64
"""Bits of the widest result word."""
INPUT_WIDTHS = tuple(8 << n for n in range(7))


def plan_encoder(network: Network, input_width: int | None) -> EncoderPlan:
    given = network.input
    pixel_bytes = 1 if given.pixel_bits <= 8 else 2
    flat_names = {node.name for node in network if isinstance(node, Flatten)}
    first = network.nodes[0]
    raster = first.name in flat_names or given.shape[1:] == (1, 1)
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
        piece = min(beat_pixels, MAX_CHUNK_WIDTH)
        word = piece
        while word < 8 and word < pixels:
            word *= 2
        layout = "raster"
    else:
        piece, word, layout = 1, given.shape[0], "pixel"
    output = StreamPlan(
        node=given.name,
        shape=given.shape,
        timesteps=given.timesteps,
        width=word,
        layout=layout,
    )
    return EncoderPlan(
        input_width=width,
        pixel_bits=given.pixel_bits,
        code=given.code,
        piece_pixels=piece,
        word_pixels=word,
        output=output,
    )


def plan_layer(
    layer: Layer,
    source: StreamPlan,
    given: Signal,
    result: Signal,
    *,
    lanes: Asked,
    scanners: Asked,
    membrane_lanes: Asked,
    banks: int,
) -> LayerPlan:
    name, fan_out = layer.name, result.shape[0]
    lane_count = limit("lanes", name, lanes, DEFAULT_LANES, fan_out, "output channels")
    flattened = isinstance(layer.projections[0], Linear)
    words = source.words_per_plane if flattened else source.words_per_pixel
    used = min(words * source.width, given.shape[0])
    scanner_count = limit("scanners", name, scanners, 1, min(used, source.width * words), "inputs")
    pack = max(1, min(words, MAX_CHUNK_WIDTH * scanner_count // source.width))
    if scanner_count > pack * source.width:
        scanner_count = pack * source.width
    window = layer_window(layer, source, given, words, pack, flattened, lane_count, scanner_count)
    parts = _choose_parts(name, lane_count, membrane_lanes, window)
    membrane_width = widths.membrane_width(layer, given)
    if membrane_width > MAX_MEMBRANE_WIDTH:
        raise PlanError(
            f"{name}: its membranes need {membrane_width} bits, but {MAX_MEMBRANE_WIDTH} are the "
            f"most; convert with fewer threshold_frac_bits, timesteps or weight bits"
        )
    neuron = layer.neuron
    weight_low = min(int(p.weights.min()) for p in layer.projections)
    weight_high = max(int(p.weights.max()) for p in layer.projections)
    if isinstance(neuron, ReadOut):
        kind, frac_bits = "readout", 0
    else:
        frac_bits = getattr(neuron, "threshold_frac_bits", 0)
        single = isinstance(neuron, SoftResetNeuron) and not neuron.two_phase
        kind = "single-phase" if single else "two-phase"
    return LayerPlan(
        node=name,
        kind=kind,
        window=window,
        fan_out=fan_out,
        lanes=lane_count,
        membrane_lanes=lane_count // parts,
        timesteps_in=given.timesteps,
        timesteps_out=1 if kind == "readout" else result.timesteps,
        leak_in=given.code == "radix",
        leak_out=given.code == "radix" if kind == "readout" else result.code == "radix",
        frac_bits=frac_bits,
        weight_bits=widths.signed_width(weight_low, weight_high),
        current_width=widths.current_width(layer),
        membrane_width=membrane_width,
        banks=1 if kind == "single-phase" else banks,
        output=StreamPlan(
            node=name,
            shape=result.shape,
            timesteps=result.timesteps,
            width=lane_count // parts,
        ),
    )


def _choose_parts(
    name: str, lanes: int, membrane_lanes: Asked, window: WindowPlan
) -> int:
    """Cycles in which the membrane unit takes one group of lanes: few where windows are short."""
    asked, by_name = membrane_lanes
    divisors = [n for n in range(1, lanes + 1) if lanes % n == 0]
    if asked is not None:
        if by_name and lanes % asked:
            raise PlanError(
                f"{name}: membrane_lanes {asked} must divide its {lanes} lanes; "
                f"give one of {', '.join(map(str, divisors))}"
            )
        return lanes // max(n for n in divisors if n <= asked)
    most = max(1, min(MAX_PARTS, window.window_chunks // 2))
    parts = max(n for n in divisors if n <= most)
    # A word wider than a scanner can search makes the next layer slow.
    while lanes // parts > MAX_CHUNK_WIDTH:
        larger = [n for n in divisors if n > parts]
        parts = larger[0]
    return parts


def plan_pool(pool: MaxPool2d, source: StreamPlan, result: Signal) -> PoolPlan:
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
        fold=source.words_per_pixel,
        scanners=1,
        depthwise=True,
    )
    output = StreamPlan(
        node=pool.name, shape=result.shape, timesteps=result.timesteps, width=source.width
    )
    return PoolPlan(node=pool.name, window=window, output=output)
