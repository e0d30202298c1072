"""From a layer of the network to the sizes of its unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from hwgen.errors import PlanError
from hwgen.network import Conv2d, JoinedTrains, Layer, Projection, TrainType
from hwgen.plan.units import widths
from hwgen.plan.units.geometry import StreamPlan
from hwgen.plan.units.layer import LayerPlan, UnitKind
from hwgen.plan.units.options import LayerOptions, Request
from hwgen.plan.units.softmax import SoftmaxPlan, plan_softmax
from hwgen.plan.units.synaptic_path import SynapticPathPlan
from hwgen.plan.units.window_buffers import MAX_SLICE_WIDTH, WeightFacts, plan_path

DEFAULT_LANES = 16
MAX_WORDS_PER_ROUND = 16
"""Cycles that the membrane unit may take for one group of lanes."""
USUAL_DENSITY = 0.16
"""Share of the bits of a train that are spikes in a typical converted network."""
MAX_MEMBRANE_WIDTH = 64
"""Bits of the widest result word."""


@dataclass(frozen=True, kw_only=True)
class LayerContext:
    """What a layer is connected to.

    Parameters
    ----------
    streams : tuple of StreamPlan
        Input stream of each projection.
    inputs : tuple of TrainType
        Train type of each projection's source.
    banks : int
        Banks of membranes: 2 where a pass fires while the next one accumulates.
    """

    streams: tuple[StreamPlan, ...]
    inputs: tuple[TrainType, ...]
    output: TrainType
    banks: int


def max_scanners(layer: Layer, inputs: Sequence[TrainType]) -> int:
    """Largest useful number of scanners: one for each input bit of a chunk."""
    return max(_inputs(*pair) for pair in zip(layer.projections, inputs, strict=True))


def scanner_count(layer: Layer, inputs: Sequence[TrainType], request: Request) -> int:
    """The scanners that ``request`` asks for, 1 by default."""
    maximum = max_scanners(layer, inputs)
    return request.limit("scanners", layer.name, default=1, maximum=maximum, unit="inputs")


@dataclass(frozen=True, kw_only=True)
class LayerFacts:
    """Sizes of a layer that no option changes."""

    weights: tuple[WeightFacts, ...]
    weight_bits: int
    current_width: int
    constant_current_width: int
    membrane_width: int
    softmax: SoftmaxPlan | None

    @classmethod
    def of(cls, layer: Layer, inputs: Sequence[TrainType]) -> LayerFacts:
        """Raises :class:`.PlanError` for a membrane that is too wide."""
        joined = JoinedTrains(tuple(inputs))
        membrane_width = widths.membrane_width(layer, joined)
        if membrane_width > MAX_MEMBRANE_WIDTH:
            raise PlanError(
                f"{layer.name}: its membranes need {membrane_width} bits, more than the maximum of "
                f"{MAX_MEMBRANE_WIDTH}; convert with fewer threshold_frac_bits, timesteps or "
                f"weight bits"
            )
        kind = UnitKind.of(layer.neuron, joined.longest)
        is_constant = kind == UnitKind.CONSTANT_CURRENT
        weights = [projection.weights for projection in layer.projections]
        low, high = min(w.min() for w in weights), max(w.max() for w in weights)
        return cls(
            weights=tuple(map(WeightFacts.of, layer.projections, inputs)),
            weight_bits=widths.signed_width(int(low), int(high)),
            current_width=widths.current_width(layer),
            constant_current_width=(
                widths.constant_current_width(layer, joined.longest) if is_constant else 0
            ),
            membrane_width=membrane_width,
            softmax=plan_softmax(layer) if kind == UnitKind.SOFTMAX else None,
        )


def plan_layer(
    layer: Layer, context: LayerContext, options: LayerOptions, facts: LayerFacts | None = None
) -> LayerPlan:
    """Sizes of the unit of ``layer``; ``facts`` are those of the layer, where they are known.

    Raises :class:`.PlanError` for an option that does not fit, or a membrane that is too wide.
    """
    inputs, output = context.inputs, context.output
    facts = facts or LayerFacts.of(layer, inputs)
    given = JoinedTrains(inputs).longest
    name, fan_out = layer.name, output.shape[0]
    lane_count = options.lanes.limit(
        "lanes", name, default=DEFAULT_LANES, maximum=fan_out, unit="output channels"
    )
    scanners = scanner_count(layer, inputs, options.scanners)
    widest = max(_fan_in(projection) for projection in layer.projections)
    paths = tuple(
        plan_path(
            projection,
            stream,
            train_type,
            facts=weights,
            fan_out=fan_out,
            lanes=lane_count,
            # In proportion to the work: all projections of a layer run in parallel.
            scanners=ceil(scanners * _fan_in(projection) / widest),
        )
        for projection, stream, train_type, weights in zip(
            layer.projections, context.streams, inputs, facts.weights, strict=True
        )
    )
    paths = options.apply(name, paths)
    timesteps_out = layer.neuron.timesteps
    spikes = [_window_cycles(*pair) for pair in zip(layer.projections, paths, strict=True)]
    # The words of each window pass the membrane unit in accumulation and again in firing.
    cycles = max(spikes) / (1 + timesteps_out / given.timesteps)
    words = _words_per_round(name, lane_count, options.membrane_lanes, cycles)
    kind = UnitKind.of(layer.neuron, given)
    return LayerPlan(
        node=name,
        kind=kind,
        paths=paths,
        fan_out=fan_out,
        lanes=lane_count,
        membrane_lanes=lane_count // words,
        timesteps_in=given.timesteps,
        timesteps_out=timesteps_out,
        code_in=given.code,
        code_out=output.code,
        leak_in=given.leak,
        leak_out=output.leak,
        frac_bits=layer.neuron.frac_bits,
        weight_bits=facts.weight_bits,
        current_width=facts.current_width,
        membrane_width=facts.membrane_width,
        banks=1 if kind.is_single_phase else context.banks,
        constant_current_width=facts.constant_current_width,
        output=StreamPlan(
            node=name,
            shape=output.shape,
            timesteps=output.timesteps,
            width=lane_count // words,
            schedule=context.streams[0].schedule,
        ),
        softmax=facts.softmax,
    )


def _fan_in(projection: Projection) -> int:
    """Inputs of one output channel."""
    return int(projection.weights[0].size)


def _inputs(projection: Projection, source: TrainType) -> int:
    """Inputs that scanners can share: of a kernel's row, or of the whole linear projection."""
    taps = projection.weights.shape[3] if isinstance(projection, Conv2d) else 1
    return source.shape[0] * taps


def _window_cycles(projection: Projection, path: SynapticPathPlan) -> float:
    """Expected cycles of a window: one per chunk read, or one per spike."""
    chunks = path.window.window_chunks
    if path.is_masked:
        return chunks
    return max(chunks, _fan_in(projection) * USUAL_DENSITY / path.window.scanners)


def _words_per_round(name: str, lanes: int, membrane_lanes: Request, cycles: float) -> int:
    """Cycles in which the membrane unit takes one group of lanes: at most ``cycles``."""
    divisors = [n for n in range(1, lanes + 1) if lanes % n == 0]
    if (requested := membrane_lanes.number) is not None:
        if membrane_lanes.by_name and lanes % requested:
            raise PlanError(
                f"{name}: membrane_lanes {requested} must divide its {lanes} lanes; "
                f"give one of {', '.join(map(str, divisors))}"
            )
        return lanes // max(n for n in divisors if n <= requested)
    limit = max(1, min(MAX_WORDS_PER_ROUND, int(cycles)))
    usual = max(n for n in divisors if n <= limit)
    # A word wider than a scanner's slice would slow the next layer down.
    return next(n for n in divisors if n >= usual and lanes // n <= MAX_SLICE_WIDTH)
