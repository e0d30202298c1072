"""Random networks as from method "feedback": Poisson input, hard resets, floors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen.network import HardResetNeuron, Layer, Network
from hwgen.plan.assembly import make_plan
from hwgen.plan.timing.predict import predict
from hwgen.plan.units.options import PlanOptions
from tests.support.random_networks import random_images, random_network
from tests.support.rotation import rotating
from tests.support.rtl.cores import CoreBench

SEEDS = range(12)


def network_of(seed: int) -> Network:
    """Random network with floor V_min = 0, or none in every third one; the bias contains L."""
    network = random_network(
        seed, neuron="rate_hard", max_size=5, max_channels=4, max_timesteps=4,
        residual=seed % 2 == 0,
    )  # fmt: skip
    rng = np.random.default_rng([seed, 9])
    nodes = []
    for node in network.nodes:
        if isinstance(node, Layer) and isinstance(node.neuron, HardResetNeuron):
            floor = None if seed % 3 == 0 else 0 * node.neuron.threshold
            neuron = replace(node.neuron, floor=floor, reset=None)
            leak = np.rint(node.neuron.threshold * rng.uniform(-0.2, 0.2)).astype(np.int64)
            node = replace(node, neuron=neuron, bias=leak)
        nodes.append(node)
    source = replace(
        network.input, code="poisson", gain=int(rng.integers(6, 17)),
        seed=int(rng.integers(1, 1 << 32)),
    )  # fmt: skip
    network = replace(network, nodes=tuple(nodes), input=source)
    network.verify()
    return network


@pytest.mark.parametrize("seed", rotating(SEEDS))
def test_every_word_and_cycle(seed: int) -> None:
    network = network_of(seed)
    rng = np.random.default_rng([seed, 10])
    plan = make_plan(
        network,
        PlanOptions(
            schedule=("row", "time")[seed // 2 % 2],
            lanes=int(rng.choice([1, 2, 4, 16])),
            scanners=int(rng.choice([1, 2])),
            pipeline=("overlap", "alternate")[seed // 4 % 2],
            input_width=int(rng.choice([16, 64])),
            counters=False,
        ),
    )
    bench = CoreBench(plan, network, random_images(seed, network, 2))
    prediction = predict(plan, bench.trains)
    bench.run()
    start = bench.sample_cycles[0]
    assert [cycle - start for cycle in bench.result_cycles] == list(prediction.result_cycles)


def test_networks_spike() -> None:
    """Most layers send spikes, and few send only ones."""
    from hwgen import golden

    rates = []
    for seed in SEEDS:
        network = network_of(seed)
        result = golden.run(network, random_images(seed, network, 2))
        rates += [
            result.spikes_per_neuron(layer.name) / network.input.timesteps
            for layer in network.layers
            if layer.name in result.spikes
        ]
    assert len(rates) >= 15
    assert np.mean(np.array(rates) > 0) > 0.6
    assert np.mean(np.array(rates) < 1) > 0.6
