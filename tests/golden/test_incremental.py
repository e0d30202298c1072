"""An incremental run sends the same trains as :func:`hwgen.golden.run`."""

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
def test_every_node_sends_the_same_train_as_in_a_complete_run(
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
    incremental_run = IncrementalRun(network.input, images)
    for node in network.nodes[:-1]:
        incremental_run.add(node)
    assert len(whole.trains) == len(network.nodes)
    for name in whole.trains:
        np.testing.assert_array_equal(
            incremental_run.values(name), whole.values[name], err_msg=name
        )
        train = incremental_run.train(name).swapaxes(0, 1)
        np.testing.assert_array_equal(train, whole.trains[name], err_msg=name)
        assert incremental_run.train_types[name] == network.train_types[name]


def test_a_forgotten_node_has_no_values() -> None:
    network = random_network(1)
    incremental_run = IncrementalRun(network.input, random_images(1, network, 2))
    incremental_run.forget(network.input.name)
    with pytest.raises(KeyError):
        incremental_run.values(network.input.name)
