"""A network that is run node by node sends what :func:`hwgen.golden.run` computes."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen import golden
from hwgen.golden import incremental
from hwgen.golden.incremental import IncrementalRun
from tests.support.random_networks import KINDS, random_images, random_network

CASES = [
    *((seed, neuron, None) for neuron in KINDS for seed in range(3)),
    *((seed, "rate_single", "direct") for seed in range(3)),
    *((seed, None, "events") for seed in range(3)),
]


@pytest.mark.parametrize(("seed", "neuron", "code"), CASES)
@pytest.mark.parametrize("batch_bytes", [1, 1 << 26])
def test_every_node_sends_what_it_sends_in_the_whole_network(
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    neuron: str | None,
    code: str | None,
    batch_bytes: int,
) -> None:
    monkeypatch.setattr(incremental, "BATCH_BYTES", batch_bytes)
    network = random_network(seed, neuron=neuron, code=code)
    images = random_images(seed, network, 3)
    whole = golden.run(network, images, trains=True)
    growing = IncrementalRun(network.input, images)
    for node in network.nodes[:-1]:
        growing.add(node)
    assert len(whole.trains) == len(network.nodes)
    for name in whole.trains:
        np.testing.assert_array_equal(growing.values(name), whole.values[name], err_msg=name)
        train = growing.train(name).swapaxes(0, 1)
        np.testing.assert_array_equal(train, whole.trains[name], err_msg=name)
        assert growing.train_types[name] == network.train_types[name]


def test_a_node_is_forgotten() -> None:
    network = random_network(1)
    growing = IncrementalRun(network.input, random_images(1, network, 2))
    growing.forget(network.input.name)
    with pytest.raises(KeyError):
        growing.values(network.input.name)
