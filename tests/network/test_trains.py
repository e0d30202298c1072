"""What legal networks give: signals, shapes, look-ups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen.errors import NetworkError
from hwgen.network import Code, Conv2d, TrainType
from tests.support.broken import FLAT, LAST, LAYER, POOL, SOFT, net, neuron, single, weights


def test_signals_of_a_legal_network():
    assert net().train_types == {
        "input": TrainType(shape=(2, 4, 5), code="radix", timesteps=4),
        "conv": TrainType(shape=(3, 3, 4), code="radix", timesteps=4),
        "pool": TrainType(shape=(3, 1, 2), code="radix", timesteps=4),
        "flat": TrainType(shape=(6, 1, 1), code="radix", timesteps=4),
        "out": TrainType(shape=(3, 1, 1), code="radix", timesteps=4),
    }
    net(probe=np.full((1, 2, 4, 5), 255, np.uint16)).verify()


def test_trains_of_two_phase_neurons_hold_their_spikes_first_through_pool_and_flatten():
    train_types = neuron(SOFT, timesteps=3).train_types
    for name in ("conv", "pool", "flat"):
        assert (train_types[name].code, train_types[name].timesteps) == ("rate", 3)
        assert train_types[name].ones_first
    assert not single().train_types["conv"].ones_first
    assert not single().train_types["flat"].ones_first


def test_shapes_round_down_as_pytorch_does():
    layer = Conv2d(source="x", weights=weights(4, 1, 3, 2), stride=(2, 3), padding=(1, 0, 2, 1))
    assert layer.output_shape((1, 6, 7)) == (4, (6 + 3 - 3) // 2 + 1, (7 + 1 - 2) // 3 + 1)
    wide = replace(POOL, kernel=(3, 2), stride=(2, 2), padding=(1, 0, 1, 1))
    assert wide.output_shape((5, 6, 7)) == (5, 3, 4)


def test_lookups():
    network = net()
    assert network["pool"] is POOL
    assert list(network) == [LAYER, POOL, FLAT, LAST]
    assert network.layers == (LAYER, LAST)
    assert network.readout is LAST
    assert network.classes == 3
    with pytest.raises(NetworkError, match="^unknown node 'pol'; did you mean 'pool'"):
        network["pol"]
    assert [Code("radix").q_max(4), Code("rate").q_max(4)] == [15, 4]
