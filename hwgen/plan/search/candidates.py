"""Candidate units of a layer, with their cycles and cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, inf

from hwgen.network import Layer
from hwgen.plan.cost.area import layer_usage
from hwgen.plan.cost.fabric import ECP5, Fabric
from hwgen.plan.cost.usage import Usage, weight_usage
from hwgen.plan.cost.work import Work, Workload
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_sizes import MAX_WORDS_PER_ROUND, LayerContext, max_scanners, plan_layer
from hwgen.plan.units.memories import READ_ONLY_KINDS, MemoryKind
from hwgen.plan.units.options import LayerOptions, Request
from hwgen.plan.units.window_buffers import MAX_SLICE_WIDTH

MAX_SCANNERS = 16
MAX_LANES = 256
MAX_WASTE = 0.1
"""Maximum share of a layer's lanes without a channel."""
NEAR = 1.5
"""Other numbers of lanes are tried only where no divisor lies within this factor."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One way to build a layer. Only the spikes that decide between candidates are counted.

    ``unit`` is the plan without balanced scanners, ``scanners`` the requested number; ``usage``
    excludes the weights, which ``weights`` gives for each projection and memory kind.
    """

    unit: LayerPlan
    scanners: int
    usage: Usage
    weights: tuple[dict[MemoryKind, Usage], ...]
    fabric: Fabric
    workload: Workload

    @cached_property
    def plan(self) -> LayerPlan:
        return self.workload.balance(self.unit)

    @cached_property
    def work(self) -> Work:
        return self.workload.measure(self.plan)

    def at(self, price: float) -> tuple[LayerPlan, Usage]:
        """Plan and usage with the cheapest weight memories, at ``price`` cells per block RAM."""
        kinds = self._kinds(price)
        paths = [
            replace(path, memory=kind) for path, kind in zip(self.plan.paths, kinds, strict=True)
        ]
        return replace(self.plan, paths=tuple(paths)), self._usage(kinds)

    def cost(self, price: float) -> float:
        """Cost at ``price`` cells per block RAM."""
        return self._usage(self._kinds(price)).cost(price, self.fabric)

    def _kinds(self, price: float) -> list[MemoryKind]:
        def cheapest(kinds: dict[MemoryKind, Usage]) -> MemoryKind:
            return min(kinds, key=lambda name: kinds[name].cost(price, self.fabric))

        return [cheapest(kinds) for kinds in self.weights]

    def _usage(self, chosen: list[MemoryKind]) -> Usage:
        pairs = zip(self.weights, chosen, strict=True)
        return sum((kinds[kind] for kinds, kind in pairs), self.usage)


class Candidates:
    """Finds the units that take at most a given number of cycles per sample."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._known: dict[object, Candidate] = {}
        self._units: dict[object, LayerPlan] = {}
        self._spikes: dict[str, float] = {}

    def within(
        self,
        layer: Layer,
        context: LayerContext,
        cycles: float,
        price: float,
        fabric: Fabric = ECP5,
    ) -> list[Candidate]:
        """For each number of lanes, the cheapest candidate that takes at most ``cycles``; of
        equal ones, that with the fewest scanners. ``price`` is that of :meth:`Candidate.at`."""
        found = []
        maximum = min(MAX_SCANNERS, max_scanners(layer, context.inputs))
        for lanes in lane_counts(context.output.shape[0]):
            minimum = self._min_scanners(layer, context, lanes, cycles)
            best, lowest = None, inf
            for scanners in range(minimum, maximum + 1):
                for candidate in self._of(layer, context, lanes, scanners, fabric):
                    cost = candidate.cost(price)
                    if cost < lowest and candidate.work.cycles <= cycles:
                        best, lowest = candidate, cost
            if best is not None:
                found.append(best)
        return found

    def fastest(self, layer: Layer, context: LayerContext, fabric: Fabric = ECP5) -> Candidate:
        """The candidate with the fewest cycles; of equal ones, that with the fewest scanners."""
        maximum = min(MAX_SCANNERS, max_scanners(layer, context.inputs))
        lanes = lane_counts(context.output.shape[0])[-1]
        counts = range(1, maximum + 1)
        every = (c for n in counts for c in self._of(layer, context, lanes, n, fabric))
        return min(every, key=lambda candidate: candidate.work.cycles)

    def _min_scanners(self, layer: Layer, context: LayerContext, lanes: int, cycles: float) -> int:
        """Fewest scanners that can meet ``cycles``, at one spike per cycle and scanner."""
        if layer.name not in self._spikes:
            self._spikes[layer.name] = next(self._of(layer, context, lanes, 1, ECP5)).work.spikes
        rounds = ceil(context.output.shape[0] / lanes)
        return max(1, ceil(rounds * self._spikes[layer.name] / max(cycles, 1)))

    def _of(
        self, layer: Layer, context: LayerContext, lanes: int, scanners: int, fabric: Fabric
    ) -> Iterator[Candidate]:
        """Candidates in order of increasing membrane_lanes."""
        for words in range(min(lanes, MAX_WORDS_PER_ROUND), 0, -1):
            if lanes % words == 0 and lanes // words <= MAX_SLICE_WIDTH:
                yield self._make(layer, context, lanes, scanners, lanes // words, fabric)

    def _make(
        self,
        layer: Layer,
        context: LayerContext,
        lanes: int,
        scanners: int,
        membrane_lanes: int,
        fabric: Fabric,
    ) -> Candidate:
        key = (layer.name, context.streams, lanes, scanners, membrane_lanes, fabric.name)
        if key not in self._known:
            unit = self._unit(layer, context, lanes, scanners)
            output = replace(unit.output, width=membrane_lanes)
            plan = replace(unit, membrane_lanes=membrane_lanes, output=output)
            self._known[key] = Candidate(
                unit=plan,
                scanners=scanners,
                usage=layer_usage(plan, fabric),
                weights=tuple(
                    {kind: weight_usage(plan, path, kind, fabric) for kind in READ_ONLY_KINDS}
                    for path in plan.paths
                ),
                fabric=fabric,
                workload=self._workload,
            )
        return self._known[key]

    def _unit(self, layer: Layer, context: LayerContext, lanes: int, scanners: int) -> LayerPlan:
        """The unit with default membrane lanes."""
        key = (layer.name, context.streams, lanes, scanners)
        if key not in self._units:
            options = LayerOptions(lanes=Request(lanes), scanners=Request(scanners))
            self._units[key] = plan_layer(layer, context, options)
        return self._units[key]


def lane_counts(fan_out: int) -> Sequence[int]:
    """Useful numbers of lanes, ascending: divisors of ``fan_out``, and others that waste few lanes
    where divisors lie far apart."""
    divisors = [n for n in range(1, fan_out + 1) if fan_out % n == 0]
    counts = {ceil(fan_out / rounds) for rounds in range(1, fan_out + 1)}

    def is_useful(lanes: int) -> bool:
        if fan_out % lanes == 0:
            return True
        near = any(lanes < NEAR * n and n < NEAR * lanes for n in divisors)
        return not near and ceil(fan_out / lanes) * lanes <= fan_out * (1 + MAX_WASTE)

    return [lanes for lanes in sorted(counts) if lanes <= MAX_LANES and is_useful(lanes)]
