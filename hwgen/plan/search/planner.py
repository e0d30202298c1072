"""The planner: lanes, scanners, membrane lanes and memories of each layer for a rate and a board.

For a number of cycles per sample, each layer gets the cheapest unit that takes at most that many,
with a price in LUT4 for a block RAM. The planner adjusts the price until all units together fit the
budget. Without a rate, it searches for the fewest cycles that fit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf, sqrt

from hwgen.errors import PlanError
from hwgen.network import Layer, Network
from hwgen.plan.assembly import DEFAULT_OPTIONS, assemble
from hwgen.plan.cost.fabric import ECP5, Fabric
from hwgen.plan.cost.usage import Usage
from hwgen.plan.cost.work import Trains, Workload
from hwgen.plan.search.candidates import Candidate, Candidates
from hwgen.plan.search.planned_design import Budget, PlannedDesign, evaluate
from hwgen.plan.units.geometry import StreamPlan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_sizes import LayerContext
from hwgen.plan.units.options import PlanOptions

USUAL_PRICE = 400.0
"""LUT4 for a block RAM: about their ratio on an ECP5."""
PRICE_STEPS, CORRECTIONS = 10, 6
SLOWEST = 1e12
"""Cycles per sample that every unit can meet."""
NEARLY = 1.01
"""Factor up to which the fastest plan is found."""
MARGIN, MIN_STEP = 0.998, 0.97
"""Correction of a plan that missed its cycles: this much beyond the shortfall, and at least by
``MIN_STEP``. The bottleneck differs from image to image, so a smaller step may change nothing."""


class Planner:
    """Plans one network.

    Parameters
    ----------
    trains : Trains
        Spike trains from golden, of images like those that the hardware will process.
    name : str or None
        Name of the top module, by default the network's.
    options : PlanOptions
        Those of single layers are not used.
    """

    def __init__(
        self,
        network: Network,
        trains: Trains,
        *,
        name: str | None = None,
        options: PlanOptions = DEFAULT_OPTIONS,
    ) -> None:
        self._streams: dict[str, StreamPlan] = {}
        self._workload = Workload(trains, self._streams.__getitem__)
        self._candidates = Candidates(self._workload)
        self._assemble = partial(assemble, network, options=options, name=name)

    def for_cycles(self, cycles: float, budget: Budget) -> PlannedDesign:
        """The cheapest plan that takes at most ``cycles`` per sample and fits the budget.

        Raises :class:`.PlanError`, which names the missing resource and the largest layer.
        """
        planned = self._fit(cycles, budget)
        if planned.interval > cycles:
            raise PlanError(
                f"{planned.bottleneck} takes at least {planned.interval:,.0f} cycles per sample, "
                f"more than {cycles:,.0f}; {_remedy(planned)}"
            )
        if not budget.holds(planned.total):
            raise PlanError(
                f"a plan for {cycles:,.0f} cycles per sample needs "
                f"{budget.shortage(planned.total)}; the largest layer is {_largest(planned)}; "
                f"lower target_fps"
            )
        return planned

    def fewest_cycles(self, budget: Budget) -> PlannedDesign:
        """The fastest plan that fits the budget. Raises :class:`.PlanError` where none does."""
        best = self.smallest(budget)
        if not self._is_good(best, SLOWEST, budget):
            raise PlanError(
                f"the smallest plan needs {budget.shortage(best.total)}; the largest layer is "
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

    def smallest(self, budget: Budget) -> PlannedDesign:
        """The smallest plan, whether it fits the budget or not."""
        return self._fit(SLOWEST, budget)

    def confirmed(
        self, cycles: float, budget: Budget, interval_of: Callable[[HardwarePlan], float | None]
    ) -> PlannedDesign:
        """As :meth:`for_cycles`, for a plan whose ``interval_of`` is at most ``cycles`` too.

        Units that wait for each other lose cycles; the planner then chooses faster ones.
        ``interval_of`` may return None for unknown.
        """
        aim, missed = cycles, ""
        for _ in range(1 + CORRECTIONS):
            try:
                planned = self.for_cycles(aim, budget)
            except PlanError as error:
                if not missed:
                    raise
                missed += f"; and no faster one is possible: {error}"
                break
            interval = interval_of(planned.plan)
            if interval is None or interval <= cycles:
                return planned
            missed = f"the last one takes {interval:,.0f}, limited by {planned.bottleneck}"
            aim = min(aim, planned.interval) * min(cycles / interval * MARGIN, MIN_STEP)
        raise PlanError(
            f"no plan was found with a result every {cycles:,.0f} cycles: {missed}; "
            f"lower target_fps"
        )

    @staticmethod
    def _is_good(planned: PlannedDesign, cycles: float, budget: Budget) -> bool:
        return planned.interval <= cycles and budget.holds(planned.total)

    def _fit(self, cycles: float, budget: Budget) -> PlannedDesign:
        """The plan for ``cycles`` at the first price of a block RAM at which it fits the budget.

        The first price is the budget's ratio; a lower one uses more block RAMs and fewer LUT4.
        """
        low, high = 0.0, inf
        is_known = budget.logic < inf and 0 < budget.block_rams < inf
        price = budget.logic / budget.block_rams if is_known else USUAL_PRICE
        best = planned = self._choose(cycles, price, budget.fabric)
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
            planned = self._choose(cycles, price, budget.fabric)
        return planned if budget.holds(planned.total) else best

    def _choose(self, cycles: float, price: float, fabric: Fabric = ECP5) -> PlannedDesign:
        chosen: dict[str, Candidate] = {}

        def cheapest(layer: Layer, context: LayerContext) -> LayerPlan:
            self._streams.update((stream.node, stream) for stream in context.streams)
            found = self._candidates.within(layer, context, cycles, price, fabric)
            if not found:
                found = [self._candidates.fastest(layer, context, fabric)]
            best = min(found, key=lambda candidate: candidate.at(price)[1].cost(price, fabric))
            chosen[layer.name] = best
            return best.at(price)[0]

        plan = self._assemble(cheapest)
        return evaluate(
            plan,
            works={name: candidate.work for name, candidate in chosen.items()},
            scanners={name: candidate.scanners for name, candidate in chosen.items()},
            fabric=fabric,
        )


def _remedy(planned: PlannedDesign) -> str:
    is_input = planned.bottleneck == planned.plan.encoder.output.node
    return ("widen the input with input_width, or " if is_input else "") + "lower target_fps"


def _shares(usage: Usage, budget: Budget) -> tuple[float, float]:
    """Share of the budget's logic and block RAMs in use; above 1 where they do not suffice."""
    *logic, blocks = (need / max(limit, 1) for need, limit, _ in budget.compare(usage))
    return max(logic), blocks


def _largest(planned: PlannedDesign) -> str:
    sizes = {name: usage.cost(USUAL_PRICE) for name, usage in planned.usage.items() if name}
    name = max(sizes, key=sizes.__getitem__)
    usage = planned.usage[name]
    return f"{name} ({usage.lut4:,.0f} LUT4, {usage.block_rams} block RAMs)"
