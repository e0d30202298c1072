"""The class that logits stand for, worked out by hand and as PyTorch decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hwgen import golden
from hwgen.network import InverseLeakyNeuron, Readout, class_count, decide
from tests.support.tiny import layer, one_neuron


def test_the_first_of_the_largest_logits() -> None:
    logits = np.array([[1, 9, 9, 3], [-5, -2, -2, -9], [0, 0, 0, 0], [-1, -1, -1, 0]])
    assert decide(logits).tolist() == [1, 1, 0, 3]
    assert decide(logits / 7).tolist() == [1, 1, 0, 3]
    assert decide(logits).dtype == np.int64
    assert class_count(4) == 4


def test_a_single_logit_is_compared_with_zero() -> None:
    logits = torch.tensor([[-3.0], [-1e-3], [0.0], [1e-3], [7.0]])
    expected = (torch.sigmoid(logits) > 0.5).squeeze(1).long()
    assert expected.tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_array_equal(decide(logits.numpy()), expected.numpy())
    assert class_count(1) == 2


@pytest.mark.parametrize(("bias", "found"), [(-2, [0, 0, 0, 1]), (-1, [0, 0, 1, 1])])
def test_golden_decides_by_the_sign(bias: int, found: list[int]) -> None:
    """Pixels 0, 1, 2, 3 of two bits give the logits q + bias: a logit of 0 is class 0."""
    neuron = InverseLeakyNeuron(threshold=np.array([1]), timesteps=2)
    network = one_neuron(neuron, weight=1, bias=0, timesteps=2, code="radix", pixel_bits=2)
    network = replace(
        network, nodes=(network.nodes[0], layer("out", "n", [[1]], [bias], Readout()))
    )
    images = np.array([0, 1, 2, 3], np.uint8).reshape(4, 1, 1, 1)
    result = golden.run(network, images)
    assert result.logits[:, 0].tolist() == [bias, bias + 1, bias + 2, bias + 3]
    assert result.classes.tolist() == found
    assert golden.classify(network, images).tolist() == found
    assert result.accuracy(np.array([0, 0, 1, 1])) == (100 if bias == -1 else 75)
    assert (network.logits, network.classes) == (1, 2)
