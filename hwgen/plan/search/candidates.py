"""Candidate units of a layer, with their cycles and cost."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil

from hwgen.network import Layer
from hwgen.plan.cost.area import layer_usage
from hwgen.plan.cost.fabric import Fabric
from hwgen.plan.cost.usage import Usage, weight_usage
from hwgen.plan.cost.work import Work, Workload
from hwgen.plan.units.geometry import StreamPlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_sizes import (
    MAX_WORDS_PER_ROUND,
    LayerContext,
    LayerFacts,
    plan_layer,
)
from hwgen.plan.units.memories import READ_ONLY_KINDS, MemoryKind
from hwgen.plan.units.options import LayerOptions, Request
from hwgen.plan.units.window_buffers import MAX_SLICE_WIDTH

MAX_SCANNERS = 16
MAX_LANES = 256
MAX_WASTE = 0.1
"""Maximum share of a layer's lanes without a channel."""
NEAR = 1.5
"""Other numbers of lanes are tried only where no divisor lies within this factor."""
SPARE = 2
"""Numbers of scanners, and of membrane lanes, that are tried for each number of lanes: the fewest
that suffice and the next one. More of them cost more, but for as many membrane lanes as lanes,
which need no serializer."""

Slots = Mapping[tuple[str, int], int]
"""Rows that the window buffer of each path of each layer must hold."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One way to build a layer, but for its weight memories.

    ``unit`` is the plan without balanced scanners, ``scanners`` the requested number, ``streams``
    what the layer reads.
    """

    unit: LayerPlan
    scanners: int
    streams: tuple[StreamPlan, ...]
    fabric: Fabric
    workload: Workload

    @cached_property
    def plan(self) -> LayerPlan:
        return self.workload.balance(self.unit, self.streams)

    @cached_property
    def work(self) -> Work:
        return self.workload.measure(self.plan, self.streams)

    @cached_property
    def memories(self) -> list[tuple[tuple[MemoryKind, ...], Usage]]:
        """Kinds of the weight memory of each path, with the usage of the whole layer."""
        without = layer_usage(self.unit, self.fabric)
        costs = [
            {kind: weight_usage(self.unit, path, kind, self.fabric) for kind in READ_ONLY_KINDS}
            for path in self.unit.paths
        ]
        different = [{usage: kind for kind, usage in reversed(cost.items())} for cost in costs]
        return [
            (tuple(kind for _, kind in chosen), sum((usage for usage, _ in chosen), without))
            for chosen in itertools.product(*(each.items() for each in different))
        ]

    def with_memories(self, kinds: Sequence[MemoryKind]) -> LayerPlan:
        """The plan with weight memories of these kinds."""
        paths = [
            replace(path, memory=kind) for path, kind in zip(self.plan.paths, kinds, strict=True)
        ]
        return replace(self.plan, paths=tuple(paths))


class Candidates:
    """Finds the units of a layer that take at most a given number of cycles per sample."""

    def __init__(self, workload: Workload, slots: Slots) -> None:
        self._workload = workload
        self._slots = slots
        self._known: dict[object, Candidate] = {}
        self._units: dict[object, LayerPlan] = {}
        self._facts: dict[str, LayerFacts] = {}
        self._spikes: dict[str, float] = {}

    def within(
        self,
        layer: Layer,
        context: LayerContext,
        cycles: float,
        fabric: Fabric,
        is_wide_enough: Callable[[StreamPlan], bool] = lambda output: True,
    ) -> Iterator[Candidate]:
        """Candidates that take at most ``cycles``.

        For each number of lanes those with the fewest scanners and membrane lanes that suffice,
        the next ones, and those with as many membrane lanes as lanes. No more lanes are tried than
        suffice with one scanner, and the next two numbers.
        """
        enough = 0
        for lanes in lane_counts(context.output.shape[0]):
            counts, fewest = 0, self._min_scanners(layer, context, lanes, cycles, fabric)
            for scanners in self._scanner_counts(layer, context, lanes, fewest):
                # More membrane lanes never take longer.
                every = list(self._of(layer, context, lanes, scanners, fabric))
                slow = bisect_left(
                    every,
                    True,
                    key=lambda candidate: (
                        is_wide_enough(candidate.unit.output) and candidate.work.cycles <= cycles
                    ),
                )
                found = every[slow:]
                yield from found[:SPARE]
                yield from found[SPARE:][-1:]
                counts += bool(found)
                enough += bool(found) and scanners == 1
                if counts == SPARE:
                    break
            if enough > SPARE:
                return

    def fastest(self, layer: Layer, context: LayerContext, fabric: Fabric) -> Candidate:
        """The candidate with the most lanes, scanners and membrane lanes."""
        lanes = lane_counts(context.output.shape[0])[-1]
        return list(self._of(layer, context, lanes, MAX_SCANNERS, fabric))[-1]

    def _min_scanners(
        self, layer: Layer, context: LayerContext, lanes: int, cycles: float, fabric: Fabric
    ) -> int:
        """Fewest scanners that can meet ``cycles``, at one spike per cycle and scanner."""
        if layer.name not in self._spikes:
            one = next(self._of(layer, context, lanes, 1, fabric))
            self._spikes[layer.name] = one.work.spikes
        rounds = ceil(context.output.shape[0] / lanes)
        return ceil(rounds * self._spikes[layer.name] / max(cycles, 1))

    def _scanner_counts(
        self, layer: Layer, context: LayerContext, lanes: int, fewest: int
    ) -> Iterator[int]:
        """Requests from ``fewest`` on that lead to different units, ascending."""
        built: list[int] = []
        for scanners in range(max(1, fewest), MAX_SCANNERS + 1):
            unit = self._unit(layer, context, lanes, scanners)
            if (now := [path.window.scanners for path in unit.paths]) != built:
                yield scanners
            built = now

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
                streams=context.streams,
                fabric=fabric,
                workload=self._workload,
            )
        return self._known[key]

    def _unit(self, layer: Layer, context: LayerContext, lanes: int, scanners: int) -> LayerPlan:
        """The unit with default membrane lanes."""
        key = (layer.name, context.streams, lanes, scanners)
        if key not in self._units:
            options = LayerOptions(lanes=Request(lanes), scanners=Request(scanners))
            if layer.name not in self._facts:
                self._facts[layer.name] = LayerFacts.of(layer, context.inputs)
            unit = plan_layer(layer, context, options, self._facts[layer.name])
            paths = tuple(
                replace(path, window=replace(path.window, slots=self._slots[layer.name, index]))
                for index, path in enumerate(unit.paths)
            )
            self._units[key] = replace(unit, paths=paths)
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
