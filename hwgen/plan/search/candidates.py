"""The units that a layer may have, with their cycles and their price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from hwgen.network import Layer
from hwgen.plan.cost.area import Usage, layer_usage, weight_usage
from hwgen.plan.cost.work import Work, Workload
from hwgen.plan.units.hardware_plan import LayerPlan
from hwgen.plan.units.options import MEMORIES, LayerOptions
from hwgen.plan.units.unit_plans import MAX_PARTS, LayerEnds, max_scanners, plan_layer
from hwgen.plan.units.window_buffers import MAX_SLICE_WIDTH

MAX_SCANNERS = 16
MAX_LANES = 256
MAX_WASTE = 0.1
"""Share of a layer's lanes that may stay without a channel."""
NEAR = 1.5
"""Divisors nearer than by this factor leave no need for other numbers of lanes."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One way to build a layer.

    ``scanners`` is what was asked for; ``usage`` leaves out the weights, which ``weights`` gives
    for each projection and kind of memory.
    """

    plan: LayerPlan
    scanners: int
    work: Work
    usage: Usage
    weights: tuple[dict[str, Usage], ...]

    def at(self, price: float) -> tuple[LayerPlan, Usage]:
        """With the weight memories that cost least, a block RAM being worth ``price`` LUT4."""
        feeds, usage = [], self.usage
        for feed, kinds in zip(self.plan.feeds, self.weights, strict=True):
            kind = min(kinds, key=lambda name: kinds[name].cost(price))
            feeds.append(replace(feed, memory=kind))
            usage += kinds[kind]
        return replace(self.plan, feeds=tuple(feeds)), usage


class Candidates:
    """Finds the units that take at most some cycles for a sample.

    Parameters
    ----------
    workload : Workload
    """

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._known: dict[object, Candidate] = {}
        self._units: dict[object, LayerPlan] = {}
        self._spikes: dict[str, float] = {}

    def within(self, layer: Layer, ends: LayerEnds, cycles: float) -> list[Candidate]:
        """For each number of lanes, the one with fewest scanners, and then membrane lanes, that
        takes at most ``cycles``."""
        found = []
        most = min(MAX_SCANNERS, max_scanners(layer, ends.given))
        for lanes in lane_counts(ends.result.shape[0]):
            least = self._least_scanners(layer, ends, lanes, cycles)
            scanners = range(least, most + 1)
            candidates = (c for n in scanners for c in self._of(layer, ends, lanes, n))
            within = (c for c in candidates if c.work.cycles <= cycles)
            if (first := next(within, None)) is not None:
                found.append(first)
        return found

    def fastest(self, layer: Layer, ends: LayerEnds) -> Candidate:
        """The one that takes least cycles, and of those the first of fewest lanes and scanners."""
        most = min(MAX_SCANNERS, max_scanners(layer, ends.given))
        lanes = lane_counts(ends.result.shape[0])[-1]
        every = (c for n in range(1, most + 1) for c in self._of(layer, ends, lanes, n))
        return min(every, key=lambda candidate: candidate.work.cycles)

    def _least_scanners(self, layer: Layer, ends: LayerEnds, lanes: int, cycles: float) -> int:
        """A scanner takes one spike a cycle."""
        if layer.name not in self._spikes:
            self._spikes[layer.name] = next(self._of(layer, ends, lanes, 1)).work.spikes
        rounds = ceil(ends.result.shape[0] / lanes)
        return max(1, ceil(rounds * self._spikes[layer.name] / max(cycles, 1)))

    def _of(self, layer: Layer, ends: LayerEnds, lanes: int, scanners: int) -> Iterator[Candidate]:
        """Of few membrane lanes first."""
        for parts in range(min(lanes, MAX_PARTS), 0, -1):
            if lanes % parts == 0 and lanes // parts <= MAX_SLICE_WIDTH:
                yield self._make(layer, ends, lanes, scanners, lanes // parts)

    def _make(
        self, layer: Layer, ends: LayerEnds, lanes: int, scanners: int, membrane_lanes: int
    ) -> Candidate:
        key = (layer.name, ends.sources, lanes, scanners, membrane_lanes)
        if key not in self._known:
            unit = self._unit(layer, ends, lanes, scanners)
            output = replace(unit.output, width=membrane_lanes)
            plan = replace(unit, membrane_lanes=membrane_lanes, output=output)
            self._known[key] = Candidate(
                plan=plan,
                scanners=scanners,
                work=self._workload.measure(plan),
                usage=layer_usage(plan),
                weights=tuple(
                    {kind: weight_usage(plan, feed, kind) for kind in MEMORIES if kind != "auto"}
                    for feed in plan.feeds
                ),
            )
        return self._known[key]

    def _unit(self, layer: Layer, ends: LayerEnds, lanes: int, scanners: int) -> LayerPlan:
        """With membrane lanes of the planner's own planned."""
        key = (layer.name, ends.sources, lanes, scanners)
        if key not in self._units:
            options = LayerOptions(lanes=(lanes, False), scanners=(scanners, False))
            self._units[key] = self._workload.balance(plan_layer(layer, ends, options))
        return self._units[key]


def lane_counts(fan_out: int) -> Sequence[int]:
    """Numbers of lanes, ascending: divisors, with which whole words make a group of lanes, and
    others that waste little where divisors lie far apart."""
    divisors = [n for n in range(1, fan_out + 1) if fan_out % n == 0]
    counts = {ceil(fan_out / rounds) for rounds in range(1, fan_out + 1)}

    def is_useful(lanes: int) -> bool:
        if fan_out % lanes == 0:
            return True
        near = any(lanes < NEAR * n and n < NEAR * lanes for n in divisors)
        return not near and ceil(fan_out / lanes) * lanes <= fan_out * (1 + MAX_WASTE)

    return [lanes for lanes in sorted(counts) if lanes <= MAX_LANES and is_useful(lanes)]
