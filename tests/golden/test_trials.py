"""Trials of networks that differ in a few layers give the logits of golden.run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen import golden
from hwgen.errors import DataError
from hwgen.golden.layers import PreparedLayer
from hwgen.golden.trials import Trials
from hwgen.network import Layer, Network, Readout
from tests.support.random_networks import KINDS, random_images, random_network


def changed(network: Network, name: str) -> Network:
    """``network`` with another bias in the layer ``name``; other node objects are shared."""
    nodes = [
        replace(node, bias=node.bias + 7) if node.name == name and isinstance(node, Layer) else node
        for node in network.nodes
    ]
    return replace(network, nodes=tuple(nodes))


def record_layers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the layers that run from now on, appended as they run."""
    ran: list[str] = []
    run = PreparedLayer.run

    def recorded(self: PreparedLayer, activities: dict) -> object:
        ran.append(self.layer.name)
        return run(self, activities)

    monkeypatch.setattr(PreparedLayer, "run", recorded)
    return ran


@pytest.mark.parametrize("seed", range(12))
def test_logits_equal_those_of_a_run(seed: int) -> None:
    kind = KINDS[seed % len(KINDS)]
    network = random_network(seed, neuron=kind, residual=seed % 2 == 0, max_size=6, max_channels=5)
    images = random_images(seed, network, 5)
    trials = Trials(images)
    for _ in range(2):
        assert trials.logits(network).tolist() == golden.run(network, images).logits.tolist()
        trials.keep()
    best = network
    for layer in network.layers:
        candidate = changed(best, layer.name)
        expected = golden.run(candidate, images, trains=True)
        assert trials.logits(candidate).tolist() == expected.logits.tolist()
        if layer.name[-1] in "0246":
            trials.keep()
            best = candidate
            for name in [name for name in expected.values if name != network.readout.name]:
                np.testing.assert_array_equal(trials.values(name), expected.values[name])


def test_only_nodes_after_a_change_run(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network(4, neuron="rate_hard", max_size=6, max_channels=5)
    firing = [layer.name for layer in network.layers if not isinstance(layer.neuron, Readout)]
    assert len(firing) >= 2
    ran = record_layers(monkeypatch)
    trials = Trials(random_images(4, network, 1))
    names = [layer.name for layer in network.layers]
    trials.logits(network)
    assert ran == names
    ran.clear()
    trials.logits(changed(network, names[1]))  # no trial has been kept yet
    assert ran == names
    trials.logits(network)
    trials.keep()
    ran.clear()
    trials.logits(changed(network, names[1]))
    assert ran == names[1:]
    ran.clear()
    trials.logits(changed(network, names[-1]))
    assert ran == names[-1:]


def test_changes_are_those_since_the_network_that_was_kept_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = random_network(4, neuron="rate_hard", max_size=6, max_channels=5)
    names = [layer.name for layer in network.layers]
    trials = Trials(random_images(4, network, 1))
    better = changed(network, names[0])
    for kept in (network, better):
        trials.logits(kept)
        trials.keep()
    ran = record_layers(monkeypatch)
    trials.logits(changed(better, names[-1]))
    assert ran == names[-1:]


def test_images_that_do_not_fit_are_rejected() -> None:
    network = random_network(4, neuron="rate_hard", max_size=6, max_channels=5)
    with pytest.raises(DataError, match="images must have shape"):
        Trials(np.zeros((2, 9, 50, 50), np.uint8)).logits(network)
