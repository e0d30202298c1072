"""The number of quiet cycles that counts as a deadlock, against windows counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen import golden
from hwgen.network import (
    Conv2d,
    Flatten,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    Network,
    Readout,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.timing.predict import predict
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.options import PlanOptions
from hwgen.simulation import run

TIMESTEPS, CHANNELS, SIZE, CLASSES = 6, 4, 8, 3
INPUTS = CHANNELS * SIZE * SIZE
MARGIN = 10_000


def network(code: str = "radix") -> Network:
    """A 1×1 convolution that repeats its input, and a linear layer of 256 inputs."""
    source = Input(
        shape=(CHANNELS, SIZE, SIZE), timesteps=TIMESTEPS, code=code,
        pixel_bits=1 if code == "events" else TIMESTEPS,
    )  # fmt: skip
    same = np.eye(CHANNELS, dtype=np.int32).reshape(CHANNELS, CHANNELS, 1, 1)
    weights = np.ones((CLASSES, INPUTS), np.int32)
    neuron = InverseLeakyNeuron(threshold=np.ones(CHANNELS, np.int64), timesteps=TIMESTEPS)
    return Network(
        name="slow",
        input=source,
        nodes=(
            Layer(
                name="conv",
                projections=(Conv2d(source="input", weights=same),),
                bias=np.zeros(CHANNELS, np.int64),
                neuron=neuron,
            ),
            Flatten(name="flat", source="conv"),
            Layer(
                name="out",
                projections=(Linear(source="flat", weights=weights),),
                bias=np.zeros(CLASSES, np.int64),
                neuron=Readout(),
            ),
        ),
    )


def plan_of(schedule: str, code: str = "radix") -> HardwarePlan:
    """One lane, so that the linear layer reads its window once for each class."""
    return make_plan(network(code), PlanOptions(lanes={"out": 1}, schedule=schedule))


def test_a_window_of_each_timestep_may_be_summed_in_schedule_row() -> None:
    """All 256 inputs spike in all timesteps: three rounds of 256 cycles in each of six windows."""
    assert run._quiet_limit(plan_of("row")) == MARGIN + 2 * 6 * 3 * 256


def test_a_buffer_of_two_timesteps_and_one_that_comes_in_schedule_time() -> None:
    assert run._quiet_limit(plan_of("time")) == MARGIN + 2 * 3 * 3 * 256


def test_planes_of_address_events_are_cleared_before_the_first_word() -> None:
    """64 words, one for each pixel."""
    assert run._quiet_limit(plan_of("time", "events")) == MARGIN + 2 * (3 * 3 * 256 + 64)


@pytest.mark.parametrize("schedule", ["row", "time"])
def test_a_core_that_only_sums_is_not_stuck(schedule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cycle model takes the whole time of the linear layer for one image of spikes alone."""
    white = np.full((1, CHANNELS, SIZE, SIZE), (1 << TIMESTEPS) - 1, np.uint8)
    trains = golden.run(network(), white, trains=True).trains
    assert all(train.all() for train in trains.values())
    plan = plan_of(schedule)
    latency = predict(plan, trains).latency_cycles
    assert latency > TIMESTEPS * CLASSES * INPUTS
    if schedule == "row":  # the words have all come before the first window is summed
        assert run._quiet_limit(plan) - MARGIN > latency
