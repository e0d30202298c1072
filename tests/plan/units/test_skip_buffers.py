"""Window buffers where branches split and join: minimum rows by hand, and that they suffice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hwgen import golden
from hwgen.errors import PlanError
from hwgen.network import Flatten, Linear, MaxPool2d, Network
from hwgen.plan.assembly import make_plan
from hwgen.plan.timing.predict import predict
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.options import PlanOptions
from hwgen.plan.units.skip_buffers import Joins, require_slots
from tests.support.branches import (
    ROWS,
    STEPS,
    by_way_of_a_join,
    nested,
    plain,
    strided,
    three_ways,
    upwards,
    white,
)
from tests.support.random_networks import KINDS, random_images, random_network
from tests.support.rotation import rotating
from tests.support.rtl.cores import CoreBench

CASES: dict[str, tuple[Callable[[], Network], str, str, tuple[int, ...]]] = {
    # network, schedule, join, minimum rows of each of its synaptic paths
    # Row i of c reads b to i + 1, which needs x to i + 2: i, i + 1, i + 2.
    "block": (plain, "row", "c", (3, 3)),
    # Row i reads b to i + 1, which needs x to 2·(i + 1) + 1; the shortcut's oldest is 2·i.
    "strided block": (strided, "row", "c", (3, 4)),
    # Row i reads d to i + 1, c to i + 2, b to i + 3, x to i + 4.
    "nested, outside": (nested, "row", "e", (3, 5)),
    "nested, inside": (nested, "row", "c", (3, 3)),
    "behind a layer": (by_way_of_a_join, "row", "c", (3, 3)),
    # d: c to i + 1, so x to i + 3, and the oldest of three rows is i − 1; b with rows up to i + 2.
    "three ways": (three_ways, "row", "d", (3, 5, 3)),
    "kernels upwards": (upwards, "row", "c", (3, 1)),
    # A two-phase layer sends nothing before it has read all timesteps of all rows.
    "block in time": (plain, "time", "c", (3, STEPS * ROWS)),
    "strided block in time": (strided, "time", "c", (3, STEPS * ROWS)),
    # The trains of b leave one sample after those of x, when all of x has arrived.
    "nested in time": (nested, "time", "e", (3, STEPS * ROWS)),
    # In time, trains that end together: with 5 steps of b, c reads no x before b's fourth step …
    "longer trains": (lambda: plain(lengths={"b": 5}), "row", "c", (3, 3)),
    "longer trains in time": (lambda: plain(lengths={"b": 5}), "time", "c", (3, STEPS * ROWS)),
    # … and with one step of b, it has read x's first step before it needs b, hence all of x.
    "shorter trains in time": (lambda: plain(lengths={"b": 1}), "time", "c", (3, ROWS)),
    # A single-phase layer fires in the step it integrates: rows as in the schedule row.
    "single-phase in time": (lambda: plain(single=True), "time", "c", (3, 3)),
    "single-phase": (lambda: plain(single=True), "row", "c", (3, 3)),
}


def layer_of(plan: HardwarePlan, node: str) -> LayerPlan:
    return next(layer for layer in plan.layers if layer.node == node)


def with_slots(plan: HardwarePlan, slots: dict[str, tuple[int, ...]]) -> HardwarePlan:
    """``plan`` with other buffers for the synaptic paths of some layers."""
    stages = []
    for stage in plan.stages:
        if isinstance(stage, LayerPlan) and stage.node in slots:
            paths = tuple(
                replace(path, window=replace(path.window, slots=count))
                for path, count in zip(stage.paths, slots[stage.node], strict=True)
            )
            stage = replace(stage, paths=paths)
        stages.append(stage)
    return replace(plan, stages=tuple(stages))


def min_slots(plan: HardwarePlan) -> dict[str, tuple[int, ...]]:
    joins = Joins(plan.stages)
    return {
        stage.node: tuple(joins.minimum(stage, index) for index in range(len(stage.paths)))
        for stage in plan.layers
    }


@pytest.mark.parametrize("case", CASES)
def test_minimum_rows_by_hand(case: str) -> None:
    make, schedule, node, expected = CASES[case]
    plan = make_plan(make(), PlanOptions(schedule=schedule))
    joins, layer = Joins(plan.stages), layer_of(plan, node)
    assert tuple(joins.minimum(layer, n) for n in range(len(layer.paths))) == expected
    for index, path in enumerate(layer.paths):
        assert joins.sufficient(layer, index, overlap=True) == path.window.slots > expected[index]
    require_slots(plan.stages)


def short_plan(case: str) -> tuple[Network, HardwarePlan, HardwarePlan]:
    """Plans with the minimum rows, and with one row less in the last path of the join."""
    make, schedule, node, expected = CASES[case]
    network = make()
    plan = make_plan(
        network, PlanOptions(schedule=schedule, counters=False, lanes=2, input_width=16)
    )
    plan = with_slots(plan, min_slots(plan))
    return network, plan, with_slots(plan, {node: (*expected[:-1], expected[-1] - 1)})


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case][3][-1] > 1])
def test_model_deadlocks_with_one_row_less(case: str) -> None:
    network, plan, short = short_plan(case)
    trains = golden.run(network, white(network, 2), trains=True).trains
    assert predict(plan, trains).interval_cycles
    with pytest.raises(RuntimeError, match="units wait for each other"):
        predict(short, trains)


SIMULATED = ("strided block", "single-phase in time")
SIMULATED_SLOWLY = ("block", "three ways", "block in time")


@pytest.mark.parametrize(
    "case",
    [*SIMULATED, *(pytest.param(case, marks=pytest.mark.slow) for case in SIMULATED_SLOWLY)],
)
def test_core_deadlocks_with_one_row_less(case: str) -> None:
    """With the minimum rows it runs as predicted; with one row less no class is ever sent."""
    network, plan, short = short_plan(case)
    bench = CoreBench(plan, network, white(network, 1))
    prediction = predict(plan, bench.trains)
    bench.run()
    assert bench.result_cycles[0] - bench.sample_cycles[0] == prediction.latency_cycles
    with pytest.raises(AssertionError, match=r"deadlock after .* 0 of 4 words"):
        CoreBench(short, network, white(network, 1)).run(timeout=prediction.latency_cycles + 300)


@pytest.mark.parametrize("case", CASES)
def test_a_plan_with_one_row_less_is_rejected(case: str) -> None:
    _, _, node, expected = CASES[case]
    _, plan, short = short_plan(case)
    assert HardwarePlan.from_json(plan.to_json()) == plan
    source, minimum = layer_of(plan, node).paths[-1].source, expected[-1]
    message = (
        f"{node}: slots of the window buffer of '{source}' must be at least {minimum}, "
        f"not {minimum - 1}; with fewer rows the network deadlocks"
    )
    with pytest.raises(PlanError, match=message):
        HardwarePlan.from_json(short.to_json())


def test_a_pool_with_fewer_rows_than_its_kernel_is_rejected() -> None:
    network = plain()
    pool = MaxPool2d(name="p", source="c", kernel=(3, 1), stride=(1, 1))
    flat = Flatten(name="flat", source="p")
    ones = Linear(source="flat", weights=np.ones((3, 2 * (ROWS - 2) * 20), dtype=np.int32))
    last = replace(network.nodes[-1], projections=(ones,))
    network = replace(network, nodes=(*network.nodes[:2], pool, flat, last))
    plan = make_plan(network)
    small = [
        replace(stage, window=replace(stage.window, slots=2)) if stage.node == "p" else stage
        for stage in plan.stages
    ]
    with pytest.raises(PlanError, match="p: slots of the window buffer of 'c' .* 3, not 2"):
        require_slots(small)


@pytest.mark.parametrize(
    ("schedule", "pipeline"), [("row", "overlap"), ("row", "alternate"), ("time", "overlap")]
)
@pytest.mark.parametrize("make", [plain, strided, nested, three_ways, upwards])
def test_planned_rows_are_as_fast_as_any_and_the_minimum_is_slower(
    make: Callable[[], Network], schedule: str, pipeline: str
) -> None:
    network = make()
    images = np.random.default_rng(0).integers(0, 256, (5, *network.input.shape)).astype(np.uint8)
    trains = golden.run(network, images, trains=True).trains
    plan = make_plan(network, PlanOptions(schedule=schedule, pipeline=pipeline))
    interval = predict(plan, trains).interval_cycles
    many = {layer.node: (400,) * len(layer.paths) for layer in plan.layers}
    fastest = predict(with_slots(plan, many), trains).interval_cycles
    assert fastest <= interval <= fastest * 1.003
    if (make, schedule) != (strided, "time"):
        assert predict(with_slots(plan, min_slots(plan)), trains).interval_cycles > interval


@pytest.mark.parametrize("seed", rotating(range(24)))
def test_random_networks_run_with_the_minimum_rows(seed: int) -> None:
    """Random splits and joins need no more than the minimum rows.

    More rows need not be faster: a branch that runs ahead also takes cycles that the other branch
    would have used.
    """
    network = random_network(
        seed, neuron=KINDS[seed % 4], max_size=7, max_channels=5, max_timesteps=4, residual=True
    )
    images = random_images(seed, network, 4)
    trains = golden.run(network, images, trains=True).trains
    for schedule in ("row", "time"):
        plan = make_plan(network, PlanOptions(schedule=schedule, lanes=1 + seed % 4))
        require_slots(with_slots(plan, min_slots(plan)).stages)
        prediction = predict(with_slots(plan, min_slots(plan)), trains)
        assert len(prediction.result_cycles) == len(images)
        busiest = max(prediction.busy_cycles.values())
        assert prediction.result_cycles[-1] > len(images) * busiest
