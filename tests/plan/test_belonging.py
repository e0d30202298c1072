"""A plan belongs to a network if its folding gives it again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwgen.plan.assembly import make_plan
from hwgen.plan.belonging import is_plan_of
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.options import Pipeline, PlanOptions
from tests.support.random_networks import random_network

OPTIONS = [
    PlanOptions(),
    PlanOptions(lanes=2, counters=False),
    PlanOptions(scanners=3, pipeline=Pipeline.ALTERNATE),
]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("options", OPTIONS, ids=["default", "lanes", "scanners"])
def test_plans_of_a_network_are_its_plans(seed: int, options: PlanOptions) -> None:
    network = random_network(seed)
    plan = make_plan(network, options, name="any")
    assert is_plan_of(plan, network)
    assert is_plan_of(HardwarePlan.from_json(plan.to_json()), network)


def test_other_plans_are_not() -> None:
    network = random_network(6)
    plan = make_plan(network)
    assert not is_plan_of(make_plan(random_network(7)), network)
    assert not is_plan_of(replace(plan, logit_width=plan.logit_width + 1), network)
    values = plan.to_json()
    stages = values["stages"]
    for place in ("fan_out", "lanes", "membrane_width"):
        for number in (1 << 40, -1, 0):
            changed = values | {"stages": [*stages[:-1], stages[-1] | {place: number}]}
            assert not is_plan_of(HardwarePlan.from_json(changed), network), (place, number)
