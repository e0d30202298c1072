"""The planner: distribution of units, rejection of impossible targets, guaranteed rates."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from hwgen import golden
from hwgen.errors import PlanError
from hwgen.plan.assembly import make_plan
from hwgen.plan.cost.usage import Usage
from hwgen.plan.folding_file import folding_of
from hwgen.plan.search import planner as planner_module
from hwgen.plan.search.candidates import lane_counts
from hwgen.plan.search.planned_design import Budget, PlannedDesign, evaluate_plan
from hwgen.plan.search.planner import Planner
from hwgen.plan.search.program import GAP, select
from hwgen.plan.timing.predict import predict
from hwgen.plan.units.options import PlanOptions
from tests.support import two_layers
from tests.support.random_networks import random_images, random_network

WINDOWS = two_layers.STEPS * two_layers.SIZE**2  # 128 in all timesteps


def planner(**set_channels: int) -> Planner:
    # Eight channels in parallel, so that the input is not the bottleneck.
    return Planner(
        two_layers.network(), two_layers.trains(**set_channels), options=PlanOptions(counters=False)
    )


def units(planned: PlannedDesign, layer: str) -> tuple[int, int]:
    """Lanes and total scanners of ``layer``."""
    plan = next(stage for stage in planned.plan.layers if stage.node == layer)
    return plan.lanes, plan.scanners


def test_of_two_equal_layers_the_busy_one_gets_more() -> None:
    """Lanes times scanners follow the spikes of each layer.

    In 8 × 128 cycles the silent layer can visit each window four times, so two or four lanes
    suffice; one lane would need 2 · 128 · 8 membrane words. The busy layer adds eight spikes to
    eight channels in each of 128 windows, which takes eight lanes or scanners.
    """
    planned = planner(quiet=8).for_cycles(8 * WINDOWS, Budget())
    assert units(planned, "quiet") == (4, 1)
    lanes, scanners = units(planned, "busy")
    assert lanes * scanners == 8
    assert planned.works["busy"].cycles <= 8 * WINDOWS
    # With the spikes at the input of the other layer, the roles are swapped.
    planned = planner(input=8).for_cycles(8 * WINDOWS, Budget())
    assert units(planned, "busy") == (4, 1)
    lanes, scanners = units(planned, "quiet")
    assert lanes * scanners == 8


def test_the_slowest_unit_sets_the_interval() -> None:
    planned = planner(quiet=8).for_cycles(8 * WINDOWS, Budget())
    assert planned.interval == max(planned.cycles.values()) == planned.cycles[planned.bottleneck]
    assert planned.cycles["input"] == 512  # one pixel per cycle: 8 × 8 × 8
    busy = next(stage for stage in planned.plan.layers if stage.node == "busy")
    # 8 · 128 spikes for 8 channels, over 8 lanes · scanners in each cycle.
    assert planned.lane_use(busy, interval=2 * 8 * WINDOWS) == pytest.approx(0.5)


def test_no_more_lanes_are_used_than_there_are() -> None:
    """An interval of other, quieter images counts as the planned one."""
    planned = planner(quiet=8).for_cycles(8 * WINDOWS, Budget())
    busy = next(stage for stage in planned.plan.layers if stage.node == "busy")
    at_most = planned.lane_use(busy)
    assert planned.lane_use(busy, interval=planned.interval / 2) == at_most <= 1


def test_a_faster_rate_costs_more_and_an_unreachable_one_is_rejected() -> None:
    costs = [
        planner(quiet=8).for_cycles(cycles, Budget()).total.lut4 for cycles in (4096, 2048, 1024)
    ]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]
    with pytest.raises(PlanError, match=r"input takes at least 512 cycles per sample.*500"):
        planner(quiet=8).for_cycles(500, Budget())


def test_the_missing_resource_is_named_with_the_shortfall() -> None:
    with pytest.raises(PlanError) as rejected:
        planner(quiet=8).for_cycles(1024, Budget(lut4=100, block_rams=1000))
    found = re.search(r"needs ([\d,]+) LUT4 of 100 \(([\d,]+) too many\)", str(rejected.value))
    assert found is not None
    need, short = (int(number.replace(",", "")) for number in found.groups())
    assert need - short == 100
    assert "block RAM" not in str(rejected.value).split(";")[0]
    assert "the largest layer is fc (" in str(rejected.value)
    # A budget of the reported need suffices.
    fits = planner(quiet=8).for_cycles(1024, Budget(lut4=need + 1, block_rams=1000))
    assert fits.total.lut4 <= need + 1


def test_weights_move_to_block_ram_when_luts_are_short() -> None:
    free = planner(quiet=8).for_cycles(1024, Budget())
    tight = planner(quiet=8).for_cycles(1024, Budget(lut4=free.total.lut4 - 50))
    assert tight.total.lut4 <= free.total.lut4 - 50
    assert tight.total.block_rams > free.total.block_rams
    kinds = [path.memory for layer in tight.plan.layers for path in layer.paths]
    assert "block" in kinds


def test_the_fastest_plan_fits_and_the_next_faster_one_does_not() -> None:
    """512 cycles, those of the input, need 5 % more LUT4 than 1,500 do with three block RAMs."""
    three = Budget(block_rams=3)
    budget = replace(three, lut4=planner(quiet=8).for_cycles(1500, three).total.lut4)
    best = planner(quiet=8).fewest_cycles(budget)
    assert budget.holds(best.total)
    assert 512 < best.interval <= 1500
    with pytest.raises(PlanError):
        planner(quiet=8).for_cycles(0.9 * best.interval, budget)
    with pytest.raises(PlanError, match="the smallest plan needs"):
        planner(quiet=8).fewest_cycles(Budget(lut4=100))


def test_a_plan_that_misses_its_rate_is_replaced_by_a_faster_one() -> None:
    requests = []

    def slower(plan: object) -> float:
        """Report 10 % more cycles than the units need."""
        requests.append(plan)
        return 1.1 * (2048 if len(requests) == 1 else 1800)

    planned = planner(quiet=8).confirmed(2048, Budget(), slower)
    assert len(requests) == 2
    assert planned.interval <= 2048 / 1.1
    with pytest.raises(PlanError, match="the last one takes 9,999"):
        planner(quiet=8).confirmed(9900, Budget(), lambda plan: 9999)
    # Without a prediction, the cycles of the units count.
    assert planner(quiet=8).confirmed(2048, Budget(), lambda plan: None).interval <= 2048


def test_the_next_aim_follows_from_what_was_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each aim is the last plan's cycles, less the shortfall and 0.2 %, or 3 % if that is more.

    Of 1000 cycles, 900 · 0.998 · 1000/1200 = 748.5; then 673.65 · 0.97, since 1010 is 1 % too slow.
    """
    aims, made = [], planner(quiet=8)

    def planned_for(aim: float, budget: Budget) -> SimpleNamespace:
        aims.append(aim)
        return SimpleNamespace(interval=0.9 * aim, plan=None, bottleneck="busy")

    monkeypatch.setattr(made, "for_cycles", planned_for)
    intervals = iter([1200.0, 1010.0, 1000.0])
    made.confirmed(1000, Budget(), lambda plan: next(intervals))
    assert aims == pytest.approx([1000, 748.5, 673.65 * 0.97])


@pytest.mark.parametrize("window", [8, 16])
def test_no_plan_by_hand_is_smaller(window: int) -> None:
    """The least LUT4 plus 400 per block RAM of all lanes, scanners, membrane lanes and memories.

    Of both layers together: the words of "quiet" are those that "busy" reads.
    """
    network, trains, cycles = two_layers.network(), two_layers.trains(quiet=8), window * WINDOWS
    planned = planner(quiet=8).for_cycles(cycles, Budget())
    units = [
        (lanes, scanners, lanes // words)
        for lanes, scanners, words in itertools.product((1, 2, 4, 8), repeat=3)
        if words <= lanes and lanes * scanners >= 64 * WINDOWS / cycles
    ]
    silent = [(lanes, 1, width) for lanes, scanners, width in units if scanners == 8]
    costs, fc = [], folding_of(planned.plan, planned.scanners).layers["fc"]
    for quiet, busy in itertools.product(silent, units):
        names = ("lanes", "scanners", "membrane_lanes")
        by_hand = dict(zip(names, zip(quiet, busy, strict=True), strict=True))
        options = PlanOptions(
            counters=False,
            weight_memory={"fc": fc.weight_memory},
            **{
                name: {"quiet": pair[0], "busy": pair[1], "fc": getattr(fc, name)}
                for name, pair in by_hand.items()
            },
        )
        other = evaluate_plan(make_plan(network, options), trains, {})
        if other.interval <= cycles:
            costs.append(other.total.cost(400))
    assert planned.total.cost(400) <= min(costs) * (1 + GAP)
    assert min(costs) < 0.9 * max(costs)


def test_the_choices_add_up_to_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resources of single choices, and of the whole plan once its buffers are sized."""
    seen = []

    def watched(choices: Any, fixed: Usage, budget: Budget) -> Any:
        chosen = select(choices, fixed, budget)
        seen.append(sum((choice.usage for choice in chosen.values()), fixed))
        return chosen

    monkeypatch.setattr(planner_module, "select", watched)
    for seed in range(6):
        network = random_network(seed, residual=seed % 2 == 0, max_size=7)
        trains = golden.run(network, random_images(seed, network, 2), trains=True).trains
        made = Planner(network, trains, options=PlanOptions(counters=seed % 3 > 0))
        total = made.for_cycles(10_000_000, Budget()).total
        assert seen[-1].block_rams == total.block_rams
        assert (seen[-1].lut4, seen[-1].ff) == pytest.approx((total.lut4, total.ff))


@pytest.mark.parametrize("seed", range(4))
def test_every_layer_meets_the_requested_cycles(seed: int) -> None:
    network = random_network(seed, residual=seed % 2 == 0, max_size=7)
    trains = golden.run(network, random_images(seed, network, 2), trains=True).trains
    made = Planner(network, trains, options=PlanOptions(input_width=64))
    fastest = made.fewest_cycles(Budget(lut4=20000))
    for cycles in (1.5 * fastest.interval, 6 * fastest.interval):
        planned = made.for_cycles(cycles, Budget())
        assert max(planned.cycles.values()) <= cycles
        exact = predict(planned.plan, trains)
        assert max(exact.busy_cycles.values()) <= cycles
        # The folding file reproduces the plan.
        options = folding_of(planned.plan, planned.scanners).plan_options()
        assert make_plan(network, options) == replace(planned.plan, name=network.name)


def test_lanes_divide_the_channels_where_divisors_are_near() -> None:
    assert lane_counts(16) == [1, 2, 4, 8, 16]
    assert lane_counts(10) == [1, 2, 5, 10]
    # 17 is prime: 9 lanes in two rounds waste one of 18 slots, 6 in three also; 5 in four waste 3.
    assert lane_counts(17) == [1, 2, 3, 6, 9, 17]
