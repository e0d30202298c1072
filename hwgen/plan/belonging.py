"""Whether a plan is one of a network: a plan that is read from a file decides loops and sizes."""

from __future__ import annotations

from hwgen.errors import PlanError
from hwgen.network import Network
from hwgen.plan.assembly import make_plan
from hwgen.plan.folding_file import folding_of
from hwgen.plan.units.hardware_plan import HardwarePlan


def is_plan_of(plan: HardwarePlan, network: Network) -> bool:
    """Whether the folding of ``plan``, applied to ``network``, gives ``plan`` again."""
    scanners = {
        layer.node: max(path.window.scanners for path in layer.paths) for layer in plan.layers
    }
    try:
        folding = folding_of(plan, scanners)
        made = make_plan(network, folding.plan_options(counters=plan.counters), name=plan.name)
    except (PlanError, ValueError):  # pydantic's errors are ValueErrors
        return False
    return made == plan
