"""The cycle model equals the simulated core in every cycle."""

from __future__ import annotations

import numpy as np
import pytest

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
from hwgen.plan.units.options import PlanOptions
from tests.support.branches import plain
from tests.support.random_networks import KINDS, random_images, random_network
from tests.support.rotation import rotating
from tests.support.rtl.cores import CoreBench


@pytest.mark.parametrize("seed", rotating(range(15)))
def test_model_equals_the_simulated_core(seed: int) -> None:
    """The cycle of every class for back-to-back samples, hence also latency and interval."""
    network = random_network(
        seed, neuron=KINDS[seed % len(KINDS)], max_size=5, max_channels=5, max_timesteps=4
    )
    rng = np.random.default_rng(seed)
    plan = make_plan(
        network,
        PlanOptions(
            lanes=int(rng.choice([1, 2, 3, 5])),
            scanners=int(rng.choice([1, 1, 2, 3])),
            pipeline=str(rng.choice(["alternate", "overlap"])),
            schedule=str(rng.choice(["row", "time"])),
            input_width=int(rng.choice([16, 32, 64, 256])),
            counters=False,
        ),
    )
    bench = CoreBench(plan, network, random_images(seed, network, 3))
    prediction = predict(plan, bench.trains)
    bench.run()
    start = bench.sample_cycles[0]
    assert [cycle - start for cycle in bench.result_cycles] == list(prediction.result_cycles)
    assert prediction.latency_cycles == prediction.result_cycles[0]
    distance = prediction.result_cycles[2] - prediction.result_cycles[0]
    assert prediction.interval_cycles == pytest.approx(distance / 2)


@pytest.mark.parametrize("schedule", ["row", "time"])
@pytest.mark.parametrize("steps", [1, 4])
def test_trains_of_several_lengths(steps: int, schedule: str) -> None:
    """A join of trains of two timesteps and of ``steps``, whichever are longer."""
    network = plain(lengths={"b": steps}, columns=3)
    plan = make_plan(network, PlanOptions(lanes=1, schedule=schedule, counters=False))
    bench = CoreBench(plan, network, random_images(steps, network, 2))
    prediction = predict(plan, bench.trains)
    bench.run()
    start = bench.sample_cycles[0]
    assert [cycle - start for cycle in bench.result_cycles] == list(prediction.result_cycles)


ROWS = 24


def balanced() -> Network:
    """Three equal convolutions that copy their input, so that all have the same spikes.

    A window buffer holds three rows, and a layer sends 15 words ahead. The larger this share of a
    sample, the more `alternate` overlaps too.
    """
    channels, rows, columns, steps = 2, ROWS, 3, 4
    rng = np.random.default_rng(0)
    nodes: list = []
    source = "input"
    for index in range(3):
        weights = np.zeros((channels, channels, 2, 3), dtype=np.int32)
        weights[range(channels), range(channels), 1, 1] = 1
        conv = Conv2d(source=source, weights=weights, padding=(1, 1, 0, 1))
        ones = np.ones(channels, dtype=np.int64)
        neuron = InverseLeakyNeuron(threshold=ones, timesteps=steps)
        source = f"conv{index}"
        nodes.append(Layer(name=source, projections=(conv,), bias=0 * ones, neuron=neuron))
    nodes.append(Flatten(name="flat", source=source))
    matrix = rng.integers(-9, 10, (2, channels * rows * columns)).astype(np.int32)
    linear = Linear(source="flat", weights=matrix)
    zeros = np.zeros(2, dtype=np.int64)
    nodes.append(Layer(name="out", projections=(linear,), bias=zeros, neuron=Readout()))
    shape = (channels, rows, columns)
    return Network(name="n", input=Input(shape=shape, timesteps=steps), nodes=tuple(nodes))


def test_overlap_halves_the_interval_of_alternate() -> None:
    """2T timesteps against T: a ratio of at most 0.55, in the model and in the simulator.

    Schedule ``time`` only: with schedule ``row``, the buffers between layers hide the idle cycles
    of `alternate`.
    """
    network = balanced()
    images = np.random.default_rng(1).integers(0, 256, (3, *network.input.shape)).astype(np.uint8)
    model, simulated, busy = {}, {}, {}
    for pipeline in ("alternate", "overlap"):
        plan = make_plan(network, PlanOptions(schedule="time", pipeline=pipeline, counters=False))
        bench = CoreBench(plan, network, images)
        prediction = predict(plan, bench.trains)
        bench.run()
        model[pipeline] = prediction.interval_cycles
        simulated[pipeline] = np.diff(bench.result_cycles).mean()
        busy[pipeline] = list(prediction.busy_cycles.values())[:3]
    assert max(busy["overlap"]) < 1.01 * min(busy["overlap"])
    assert simulated == model
    assert model["overlap"] <= 0.55 * model["alternate"]
    # The interval of `overlap` is little more than the accumulation of the slowest layer.
    assert max(busy["overlap"]) <= model["overlap"] < 1.1 * max(busy["overlap"])


def test_one_sample_has_no_interval() -> None:
    network = balanced()
    plan = make_plan(network)
    trains = {
        node: np.zeros((1, 4, 2, ROWS, 3), np.uint8)
        for node in ("input", "conv0", "conv1", "conv2")
    }
    prediction = predict(plan, trains)
    assert prediction.interval_cycles is None
    # Without spikes only the last chunk of each window is scanned.
    assert prediction.busy_cycles["conv1"] == 4 * 3 * ROWS
