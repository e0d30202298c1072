"""From a network and the user's options to a hardware plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwgen.errors import PlanError
from hwgen.network import (
    Conv2d,
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
from hwgen.plan.hardware import (
    MAX_CHUNK_WIDTH,
    EncoderPlan,
    HardwarePlan,
    LayerPlan,
    PoolPlan,
    Stage,
    StreamPlan,
    WindowPlan,
)

DEFAULT_LANES = 16
MAX_PARTS = 16
INPUT_WIDTHS = tuple(8 << n for n in range(7))

PerLayer = int | Mapping[str | None, int] | None


def make_plan(
    network: Network,
    *,
    name: str | None = None,
    schedule: str = "time",
    pipeline: str = "overlap",
    lanes: PerLayer = None,
    scanners: PerLayer = None,
    membrane_lanes: PerLayer = None,
    input_width: int | None = None,
    counters: bool = True,
) -> HardwarePlan:
    """Sizes of every unit.

    ``lanes``, ``scanners`` and ``membrane_lanes`` are one number for all layers (cut to what a
    layer can use) or numbers by layer name (which must fit; None names all the others). Raises
    :class:`PlanError`.
    """
    signals = network.signals()
    if schedule != "time":
        raise PlanError(f"schedule must be 'time', not {schedule!r}; it is the only one built yet")
    if pipeline not in ("alternate", "overlap"):
        raise PlanError(f"pipeline must be 'alternate' or 'overlap', not {pipeline!r}")
    for option, value in (
        ("lanes", lanes),
        ("scanners", scanners),
        ("membrane_lanes", membrane_lanes),
    ):
        _check_option(network, option, value)

    encoder = _plan_encoder(network, input_width)
    streams = {network.input.name: encoder.output}
    flat: set[str] = set()
    stages: list[Stage] = []
    for node in network:
        if len(node.sources) > 1:
            raise PlanError(
                f"{node.name}: a layer with {len(node.sources)} projections needs schedule 'row', "
                f"which is not built yet"
            )
        given, source = signals[node.sources[0]], streams[node.sources[0]]
        match node:
            case Flatten():
                streams[node.name] = source
                flat.add(node.name)
                continue
            case MaxPool2d():
                if node.source in flat:
                    raise PlanError(f"{node.name}: a max-pool after a flatten; pool before it")
                stage: Stage = _plan_pool(node, source, signals[node.name])
            case Layer():
                stage = _plan_layer(
                    node,
                    source,
                    given,
                    signals[node.name],
                    lanes=_of_layer(lanes, node.name),
                    scanners=_of_layer(scanners, node.name),
                    membrane_lanes=_of_layer(membrane_lanes, node.name),
                    banks=2 if pipeline == "overlap" else 1,
                )
        stages.append(stage)
        streams[node.name] = stage.output
    last = stages[-1]
    assert isinstance(last, LayerPlan)
    _require_single_consumers(network)
    return HardwarePlan(
        name=name or network.name,
        schedule=schedule,
        pipeline=pipeline,
        encoder=encoder,
        stages=tuple(stages),
        logit_width=32 if last.membrane_width <= 32 else 64,
        counters=counters,
    )


def plan_from_json(values: Mapping[str, Any]) -> HardwarePlan:
    """The inverse of :meth:`HardwarePlan.to_json`, also after a trip through JSON."""

    def stream(fields: Mapping[str, Any]) -> StreamPlan:
        return StreamPlan(**{**fields, "shape": tuple(fields["shape"])})

    def stage(fields: Mapping[str, Any]) -> Stage:
        window = dict(fields["window"])
        for key in ("kernel", "stride", "padding"):
            window[key] = tuple(window[key])
        window["pad_planes"] = tuple(tuple(plane) for plane in window["pad_planes"])
        kind = LayerPlan if "kind" in fields else PoolPlan
        rebuilt = {"window": WindowPlan(**window), "output": stream(fields["output"])}
        return kind(**{**fields, **rebuilt})

    encoder = EncoderPlan(**{**values["encoder"], "output": stream(values["encoder"]["output"])})
    stages = tuple(stage(fields) for fields in values["stages"])
    return HardwarePlan(**{**values, "encoder": encoder, "stages": stages})


# --- options ------------------------------------------------------------------------------------


def _check_option(network: Network, option: str, value: PerLayer) -> None:
    names = [layer.name for layer in network.layers]
    numbers = value if isinstance(value, Mapping) else {None: value}
    for name, number in numbers.items():
        if name is not None and name not in names:
            raise PlanError(f"{option}: no layer {name!r}; have {', '.join(names)}")
        if number is not None and (not isinstance(number, int) or number < 1):
            raise PlanError(f"{option}: must be a positive integer, not {number!r}")


def _of_layer(value: PerLayer, name: str) -> tuple[int | None, bool]:
    """The number for a layer, and whether it was asked for by name."""
    if isinstance(value, Mapping):
        return value.get(name, value.get(None)), name in value
    return value, False


def _limit(
    option: str, where: str, asked: tuple[int | None, bool], default: int, most: int, of: str
) -> int:
    number, by_name = asked
    if number is None:
        return min(default, most)
    if by_name and number > most:
        raise PlanError(f"{where}: {option} {number} is more than its {most} {of}; give at most {most}")
    return min(number, most)


def _require_single_consumers(network: Network) -> None:
    sources = [name for node in network for name in node.sources]
    for name in set(sources):
        if sources.count(name) > 1:
            raise PlanError(
                f"{name}: its spikes go to {sources.count(name)} layers, which needs schedule "
                f"'row' with skip buffers; it is not built yet"
            )


# --- units --------------------------------------------------------------------------------------


def _plan_encoder(network: Network, input_width: int | None) -> EncoderPlan:
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


def _plan_layer(
    layer: Layer,
    source: StreamPlan,
    given: Signal,
    result: Signal,
    *,
    lanes: tuple[int | None, bool],
    scanners: tuple[int | None, bool],
    membrane_lanes: tuple[int | None, bool],
    banks: int,
) -> LayerPlan:
    name, fan_out = layer.name, result.shape[0]
    lane_count = _limit("lanes", name, lanes, DEFAULT_LANES, fan_out, "output channels")
    flattened = isinstance(layer.projections[0], Linear)
    words = source.words_per_plane if flattened else source.words_per_pixel
    used = min(words * source.width, given.shape[0])
    scanner_count = _limit("scanners", name, scanners, 1, min(used, source.width * words), "inputs")
    pack = max(1, min(words, MAX_CHUNK_WIDTH * scanner_count // source.width))
    if scanner_count > pack * source.width:
        scanner_count = pack * source.width
    window = _window(layer, source, given, words, pack, flattened, lane_count, scanner_count)
    parts = _choose_parts(name, lane_count, membrane_lanes, window)
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
        membrane_width=widths.membrane_width(layer, given),
        banks=1 if kind == "single-phase" else banks,
        output=StreamPlan(
            node=name,
            shape=result.shape,
            timesteps=result.timesteps,
            width=lane_count // parts,
        ),
    )


def _choose_parts(
    name: str, lanes: int, membrane_lanes: tuple[int | None, bool], window: WindowPlan
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


def _window(
    layer: Layer,
    source: StreamPlan,
    given: Signal,
    words: int,
    pack: int,
    flattened: bool,
    lanes: int,
    scanners: int,
) -> WindowPlan:
    (projection,) = layer.projections
    conv = projection if isinstance(projection, Conv2d) else None
    fan_out = layer.bias.shape[0]
    window = WindowPlan(
        word_width=source.width,
        timesteps=given.timesteps,
        rows=1 if flattened else given.shape[1],
        columns=1 if flattened else given.shape[2],
        words=words,
        pack=pack,
        kernel=(conv.weights.shape[2], conv.weights.shape[3]) if conv else (1, 1),
        stride=conv.stride if conv else (1, 1),
        padding=conv.padding if conv else (0, 0, 0, 0),
        fold=-(-fan_out // lanes),
        scanners=scanners,
        pad_planes=(),
    )
    if conv is None or conv.pad_value is None or not any(conv.padding) or not conv.pad_value.any():
        return window
    from dataclasses import replace

    return replace(window, pad_planes=_pad_planes(conv.pad_value, given, window))


def _pad_planes(pad: np.ndarray, given: Signal, window: WindowPlan) -> tuple[tuple[int, ...], ...]:
    """Bits of a tap outside the map: the pad value's train, ones first in the rate code."""
    planes = []
    for step in range(given.timesteps):
        if given.code == "radix":
            bits = (pad >> (given.timesteps - 1 - step)) & 1
        else:
            bits = (pad > step).astype(np.int64)
        value = sum(int(bit) << channel for channel, bit in enumerate(bits))
        mask = (1 << window.chunk_width) - 1
        planes.append(
            tuple((value >> (c * window.chunk_width)) & mask for c in range(window.chunks))
        )
    return tuple(planes)


def _plan_pool(pool: MaxPool2d, source: StreamPlan, result: Signal) -> PoolPlan:
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
