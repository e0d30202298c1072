"""What the planner chose, and what it expects of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from hwgen.plan.cost.area import Usage, plan_usage
from hwgen.plan.cost.work import Trains, Work, Workload, encoder_cycles, pool_cycles
from hwgen.plan.units.hardware_plan import HardwarePlan, LayerPlan, PoolPlan


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What all units together may take."""

    lut4: float = inf
    block_rams: float = inf

    def holds(self, usage: Usage) -> bool:
        return usage.lut4 <= self.lut4 and usage.block_rams <= self.block_rams


@dataclass(frozen=True, kw_only=True)
class PlannedDesign:
    """A plan, and what the planner expects of it.

    Parameters
    ----------
    plan : HardwarePlan
    scanners : {layer: int}
        As :func:`hwgen.plan.assembly.make_plan` is asked for them.
    works : {layer: Work}
    cycles : {stage: float}
        A sample's, of each layer, pool and of the encoder.
    usage : {stage: Usage}
        "" for what lies between the stages.
    """

    plan: HardwarePlan
    scanners: Mapping[str, int]
    works: Mapping[str, Work]
    cycles: Mapping[str, float]
    usage: Mapping[str, Usage]

    @property
    def total(self) -> Usage:
        return sum(self.usage.values(), Usage())

    @property
    def bottleneck(self) -> str:
        return max(self.cycles, key=self.cycles.__getitem__)

    @property
    def interval(self) -> float:
        """Cycles between results, as far as single units tell."""
        return self.cycles[self.bottleneck]

    def lane_use(self, layer: LayerPlan, interval: float | None = None) -> float:
        """Share of the cycles in which a weight is added, of a layer's lanes and the scanners of
        its busiest projection."""
        work = self.works[layer.node]
        sums = layer.lanes * work.scanners * (interval or self.interval)
        return work.spikes * layer.fan_out / sums


def evaluate_plan(plan: HardwarePlan, trains: Trains, scanners: Mapping[str, int]) -> PlannedDesign:
    """What the planner expects of a plan that it did not make."""
    workload = Workload(trains, plan.stream)
    works = {layer.node: workload.measure(layer) for layer in plan.layers}
    return evaluate(plan, works=works, scanners=scanners)


def evaluate(
    plan: HardwarePlan, *, works: Mapping[str, Work], scanners: Mapping[str, int]
) -> PlannedDesign:
    """A plan with what is expected of it; ``works`` are those of its layers."""
    cycles = {name: work.cycles for name, work in works.items()}
    for stage in plan.stages:
        if isinstance(stage, PoolPlan):
            cycles[stage.node] = pool_cycles(stage)
    cycles[plan.encoder.output.node] = encoder_cycles(plan.encoder)
    return PlannedDesign(
        plan=plan, scanners=scanners, works=works, cycles=cycles, usage=plan_usage(plan)
    )
