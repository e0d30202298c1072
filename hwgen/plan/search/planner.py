"""The planner: lanes, scanners, membrane lanes and memories of each layer for a rate and a board.

For a number of cycles a sample, every layer takes the cheapest unit that needs at most so many, a
block RAM being worth some LUT4. That price moves until what all of them take is there; where no
rate is asked for, the cycles move until they are the fewest that fit.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt

from hwgen.errors import PlanError
from hwgen.network import Layer, Network
from hwgen.plan.assembly import assemble
from hwgen.plan.cost.area import Usage
from hwgen.plan.cost.work import Trains, Workload
from hwgen.plan.search.candidates import Candidate, Candidates
from hwgen.plan.search.planned_design import Budget, PlannedDesign, evaluate
from hwgen.plan.units.geometry import StreamPlan
from hwgen.plan.units.hardware_plan import HardwarePlan, LayerPlan
from hwgen.plan.units.unit_plans import LayerEnds

USUAL_PRICE = 400.0
"""LUT4 for a block RAM: the ECP5 has one for about so many."""
PRICE_STEPS, CORRECTIONS = 10, 6
SLOWEST = 1e12
"""Cycles in which everything can be done."""
NEARLY = 1.01
"""The fastest plan is found up to this factor."""
MARGIN, MIN_STEP = 0.998, 0.97
"""By how much more than it missed a plan is made faster, and by how much at least: which layer
holds an image up differs from image to image, so that a small step may change nothing."""


class Planner:
    """Chooses plans for one network.

    Parameters
    ----------
    network : Network
    trains : Trains
        Of golden, on images like those that the hardware will see.
    name, schedule, pipeline, input_width, counters
        As for :func:`hwgen.plan.assembly.make_plan`.
    """

    def __init__(
        self,
        network: Network,
        trains: Trains,
        *,
        name: str | None = None,
        schedule: str | None = None,
        pipeline: str = "overlap",
        input_width: int | None = None,
        counters: bool = True,
    ) -> None:
        self._network = network
        self._streams: dict[str, StreamPlan] = {}
        self._workload = Workload(trains, self._streams.__getitem__)
        self._candidates = Candidates(self._workload)

        def assembled(layer_plan: Callable[[Layer, LayerEnds], LayerPlan]) -> HardwarePlan:
            return assemble(
                network,
                layer_plan,
                name=name,
                schedule=schedule,
                pipeline=pipeline,
                input_width=input_width,
                counters=counters,
            )

        self._assemble = assembled

    def for_cycles(self, cycles: float, budget: Budget) -> PlannedDesign:
        """The cheapest plan that takes at most ``cycles`` a sample and fits the budget.

        Raises :class:`PlanError`, naming what is short and which layer needs most.
        """
        planned = self._fit(cycles, budget)
        if planned.interval > cycles:
            raise PlanError(
                f"{planned.bottleneck} takes at least {planned.interval:,.0f} cycles per sample, "
                f"more than {cycles:,.0f}; {self._remedy(planned)}"
            )
        if not budget.holds(planned.total):
            raise PlanError(
                f"{cycles:,.0f} cycles a sample {_shortage(planned.total, budget)}; the layer that "
                f"takes most is {_largest(planned)}; ask for fewer results a second"
            )
        return planned

    def fewest_cycles(self, budget: Budget) -> PlannedDesign:
        """The fastest plan that fits the budget. Raises :class:`PlanError` where none does."""
        best = self._fit(SLOWEST, budget)
        if not self._is_good(best, SLOWEST, budget):
            raise PlanError(
                f"the smallest plan {_shortage(best.total, budget)}; the layer that takes most is "
                f"{_largest(best)}"
            )
        fast, slow = 1.0, best.interval
        while slow / fast > NEARLY:
            middle = sqrt(fast * slow)
            planned = self._fit(middle, budget)
            if self._is_good(planned, middle, budget):
                slow, best = planned.interval, planned
            else:
                fast = middle
        return best

    def confirmed(
        self, cycles: float, budget: Budget, interval_of: Callable[[HardwarePlan], float | None]
    ) -> PlannedDesign:
        """As :meth:`for_cycles`, with ``interval_of`` the plan at most ``cycles`` too.

        Units that wait for each other lose some: where they do, faster ones are chosen.
        ``interval_of`` may give None where it cannot tell.
        """
        aim, missed = cycles, ""
        for _ in range(1 + CORRECTIONS):
            try:
                planned = self.for_cycles(aim, budget)
            except PlanError as error:
                if not missed:
                    raise
                missed += f"; and no faster one goes: {error}"
                break
            interval = interval_of(planned.plan)
            if interval is None or interval <= cycles:
                return planned
            missed = f"the last one needs {interval:,.0f}, for {planned.bottleneck}"
            aim = min(aim, planned.interval) * min(cycles / interval * MARGIN, MIN_STEP)
        raise PlanError(
            f"no plan was found that gives a result every {cycles:,.0f} cycles: {missed}; "
            f"ask for fewer results a second"
        )

    @staticmethod
    def _is_good(planned: PlannedDesign, cycles: float, budget: Budget) -> bool:
        return planned.interval <= cycles and budget.holds(planned.total)

    def _fit(self, cycles: float, budget: Budget) -> PlannedDesign:
        """The plan for ``cycles`` at the first price of a block RAM at which it fits the budget.

        The first is what the budget has of each; a lower one gives more block RAMs and fewer LUT4.
        """
        low, high = 0.0, inf
        is_known = budget.lut4 < inf and 0 < budget.block_rams < inf
        price = budget.lut4 / budget.block_rams if is_known else USUAL_PRICE
        best = planned = self._choose(cycles, price)
        for _ in range(PRICE_STEPS):
            if budget.holds(planned.total):
                return planned
            luts, blocks = _shares(planned.total, budget)
            if max(luts, blocks) < max(_shares(best.total, budget)):
                best = planned
            if blocks > luts:
                low = price
            else:
                high = price
            price = low * 4 if high == inf else high / 4 if low == 0 else sqrt(low * high)
            planned = self._choose(cycles, price)
        return planned if budget.holds(planned.total) else best

    def _choose(self, cycles: float, price: float) -> PlannedDesign:
        chosen: dict[str, Candidate] = {}

        def cheapest(layer: Layer, ends: LayerEnds) -> LayerPlan:
            self._streams.update((stream.node, stream) for stream in ends.sources)
            found = self._candidates.within(layer, ends, cycles)
            if not found:
                found = [self._candidates.fastest(layer, ends)]
            best = min(found, key=lambda candidate: candidate.at(price)[1].cost(price))
            chosen[layer.name] = best
            return best.at(price)[0]

        plan = self._assemble(cheapest)
        return evaluate(
            plan,
            works={name: candidate.work for name, candidate in chosen.items()},
            scanners={name: candidate.scanners for name, candidate in chosen.items()},
        )

    def _remedy(self, planned: PlannedDesign) -> str:
        if planned.bottleneck == planned.plan.encoder.output.node:
            return "that is the input; give it a wider --input-width, or ask for less"
        return "ask for fewer results a second"


def _shares(usage: Usage, budget: Budget) -> tuple[float, float]:
    """How much of the budget's LUT4 and block RAMs is taken; more than 1 where they do not do."""
    return usage.lut4 / max(budget.lut4, 1), usage.block_rams / max(budget.block_rams, 1)


def _shortage(usage: Usage, budget: Budget) -> str:
    wants = [
        f"{need:,.0f} {label} of {limit:,.0f} ({need - limit:,.0f} too many)"
        for need, limit, label in (
            (usage.lut4, budget.lut4, "LUT4"),
            (usage.block_rams, budget.block_rams, "block RAMs"),
        )
        if need > limit
    ]
    return f"need {' and '.join(wants)}"


def _largest(planned: PlannedDesign) -> str:
    sizes = {name: usage.cost(USUAL_PRICE) for name, usage in planned.usage.items() if name}
    name = max(sizes, key=sizes.__getitem__)
    usage = planned.usage[name]
    return f"{name} ({usage.lut4:,.0f} LUT4, {usage.block_rams} block RAMs)"
