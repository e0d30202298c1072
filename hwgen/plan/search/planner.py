"""The planner: lanes, scanners, membrane lanes and memories of each layer for a rate and a board.

For a number of cycles per sample, an integer linear program (:mod:`hwgen.plan.search.program`)
chooses the smallest units that take at most that many and fit the budget. Without a rate, the
planner searches for the fewest cycles that fit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import sqrt

from hwgen.errors import PlanError
from hwgen.network import Layer, Network
from hwgen.plan.assembly import DEFAULT_OPTIONS, assemble
from hwgen.plan.cost.area import core_usage
from hwgen.plan.cost.work import Trains, Workload
from hwgen.plan.search.candidates import Candidate, Candidates
from hwgen.plan.search.choices import Choices
from hwgen.plan.search.planned_design import Budget, PlannedDesign, evaluate
from hwgen.plan.search.program import USUAL_PRICE, select
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_sizes import LayerContext, plan_layer
from hwgen.plan.units.options import LayerOptions, PlanOptions

CORRECTIONS = 6
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
        self._assemble = partial(assemble, network, options=options, name=name)
        self._usual = self._assemble(_usual_unit)
        slots = {
            (layer.node, index): path.window.slots
            for layer in self._usual.layers
            for index, path in enumerate(layer.paths)
        }
        self._choices = Choices(network, Candidates(Workload(trains), slots), self._usual)

    def for_cycles(self, cycles: float, budget: Budget) -> PlannedDesign:
        """The cheapest plan that takes at most ``cycles`` per sample and fits the budget.

        Raises :class:`.PlanError`, which names the missing resource and the largest layer.
        """
        slowest, least = self._choices.fastest(budget.fabric)
        if least > cycles:
            is_input = slowest == self._usual.encoder.output.node
            wider = "widen the input with input_width, or " if is_input else ""
            raise PlanError(
                f"{slowest} takes at least {least:,.0f} cycles per sample, more than "
                f"{cycles:,.0f}; {wider}lower target_fps"
            )
        planned = self._fit(cycles, budget)
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
        if not budget.holds(best.total):
            raise PlanError(
                f"the smallest plan needs {budget.shortage(best.total)}; the largest layer is "
                f"{_largest(best)}"
            )
        _, fast = self._choices.fastest(budget.fabric)
        slow = best.interval
        while slow / fast > NEARLY:
            middle = sqrt(fast * slow)
            planned = self._fit(middle, budget)
            if budget.holds(planned.total):
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

    def _fit(self, cycles: float, budget: Budget) -> PlannedDesign:
        """The smallest plan for ``cycles`` and ``budget``, or the one that comes nearest."""
        fabric = budget.fabric
        found = self._choices.within(cycles, fabric)
        chosen = select(found, core_usage(self._usual, fabric), budget)
        units: dict[str, Candidate] = {
            stage: choice.candidate for stage, choice in chosen.items() if choice.candidate
        }
        return evaluate(
            self._assemble(lambda layer, context: chosen[layer.name].plan),
            works={name: unit.work for name, unit in units.items()},
            scanners={name: unit.scanners for name, unit in units.items()},
            fabric=fabric,
        )


def _usual_unit(layer: Layer, context: LayerContext) -> LayerPlan:
    return plan_layer(layer, context, LayerOptions())


def _largest(planned: PlannedDesign) -> str:
    sizes = {name: usage.cost(USUAL_PRICE) for name, usage in planned.usage.items() if name}
    name = max(sizes, key=sizes.__getitem__)
    usage = planned.usage[name]
    return f"{name} ({usage.lut4:,.0f} LUT4, {usage.block_rams} block RAMs)"
