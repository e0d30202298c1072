"""A plan with its expected cycles and resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from hwgen.plan.cost.area import plan_usage
from hwgen.plan.cost.fabric import ECP5, Fabric
from hwgen.plan.cost.usage import Usage
from hwgen.plan.cost.work import Trains, Work, Workload, encoder_cycles, pool_cycles
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.pool import PoolPlan


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Resources that all units together may use.

    Parameters
    ----------
    lut4, block_rams, ff : float
    cells : float
        Logic cells, where a LUT4 and a flip-flop share one (:attr:`.Fabric.lone_registers`).
    fabric : Fabric
        Family of the part.
    """

    lut4: float = inf
    block_rams: float = inf
    ff: float = inf
    cells: float = inf
    fabric: Fabric = ECP5

    @property
    def logic(self) -> float:
        """Logic cells that LUT4 and flip-flops may take together."""
        return min(self.lut4, self.cells)

    def holds(self, usage: Usage) -> bool:
        return all(need <= limit for need, limit, _ in self.compare(usage))

    def compare(self, usage: Usage) -> list[tuple[float, float, str]]:
        """Need, limit and name of each resource."""
        return [
            (usage.lut4, self.lut4, "LUT4"),
            (usage.ff, self.ff, "flip-flops"),
            (usage.cells(self.fabric), self.cells, "logic cells"),
            (usage.block_rams, self.block_rams, "block RAMs"),
        ]

    def shortage(self, usage: Usage) -> str:
        """What ``usage`` lacks, for a message."""
        return ", ".join(
            f"{need:,.0f} {label} of {limit:,.0f} ({need - limit:,.0f} too many)"
            for need, limit, label in self.compare(usage)
            if need > limit
        )


@dataclass(frozen=True, kw_only=True)
class PlannedDesign:
    """A plan with its expected cycles and resources.

    Parameters
    ----------
    scanners : {layer: int}
        Scanners requested from :func:`hwgen.plan.assembly.make_plan`.
    cycles : {stage: float}
        Cycles per sample of each layer, each pool and the encoder.
    usage : {stage: Usage}
        Resources of each stage; "" for the logic between stages.
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
        """Cycles between results if no unit waits for another."""
        return self.cycles[self.bottleneck]

    def lane_use(self, layer: LayerPlan, interval: float | None = None) -> float:
        """Share of lane-cycles that add a weight, at most 1: of the layer's lanes, times the
        scanners of its busiest projection, times ``interval``.

        Results never follow each other faster than the planned interval, unless ``interval`` is
        that of images with fewer spikes than those that were counted here.
        """
        work = self.works[layer.node]
        sums = layer.lanes * work.scanners * max(interval or 0, self.interval)
        return work.spikes * layer.fan_out / sums


def evaluate_plan(
    plan: HardwarePlan, trains: Trains, scanners: Mapping[str, int], fabric: Fabric = ECP5
) -> PlannedDesign:
    """Evaluate a plan that the planner did not make, on spike trains from golden."""
    workload = Workload(trains)
    works = {
        layer.node: workload.measure(layer, [plan.stream(source) for source in layer.sources])
        for layer in plan.layers
    }
    return evaluate(plan, works=works, scanners=scanners, fabric=fabric)


def evaluate(
    plan: HardwarePlan,
    *,
    works: Mapping[str, Work],
    scanners: Mapping[str, int],
    fabric: Fabric = ECP5,
) -> PlannedDesign:
    """Evaluate a plan whose layers' work is known."""
    cycles = {name: work.cycles for name, work in works.items()}
    for stage in plan.stages:
        if isinstance(stage, PoolPlan):
            cycles[stage.node] = pool_cycles(stage)
    cycles[plan.encoder.output.node] = encoder_cycles(plan.encoder)
    return PlannedDesign(
        plan=plan, scanners=scanners, works=works, cycles=cycles, usage=plan_usage(plan, fabric)
    )
