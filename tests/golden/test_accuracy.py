"""Accuracy per class and the power estimate, against hand-computed and published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen import golden
from hwgen.errors import DataError
from hwgen.golden import per_class, power_estimate, synapse_count
from hwgen.network import Conv2d, Identity, Input, Layer, Linear, Network, Readout
from tests.support.tiny import readout_of


def test_hits_of_each_class():
    labels = np.array([0, 0, 0, 0, 1, 3, 3], np.uint8)
    found = np.array([0, 0, 0, 1, 1, 0, 1], np.int64)
    rows = per_class(found, labels, count=4)
    assert [(row.label, row.images, row.correct) for row in rows] == [
        (0, 4, 3), (1, 1, 1), (2, 0, 0), (3, 2, 0),
    ]  # fmt: skip
    assert [row.accuracy for row in rows] == [75.0, 100.0, None, 0.0]


def test_accuracy_and_spikes_of_a_result():
    """For two images, n fires 3 and 1 spikes and m fires 1 and 1; the readout sends none."""
    result = golden.Result(
        classes=np.array([0, 1]),
        logits=np.zeros((2, 4), np.int64),
        spikes={"input": np.array([9, 9]), "n": np.array([3, 1]), "m": np.array([1, 1])},
        neurons={"input": 9, "n": 1, "m": 2},
        synaptic_operations={},
        macs={"n": 1, "m": 1, "out": 1},
    )
    assert result.accuracy(np.array([0, 3])) == 50
    assert result.spikes_per_neuron("n") == 2
    assert result.spikes_per_neuron("input") == 1
    assert result.spikes_per_neuron() == (2 + 1) / 3
    assert repr(result) == "<Result: 2 samples, 1.00 spikes per neuron and sample>"
    with pytest.raises(DataError, match="accuracy needs labels, and the data has none"):
        result.accuracy(None)
    with pytest.raises(DataError, match="1 labels for 2 images"):
        result.accuracy(np.array([0]))
    with pytest.raises(DataError, match="node.*'nn'.*'n'"):
        result.spikes_per_neuron("nn")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 4], "labels reach from 0 to 4, but the network has the classes 0 … 3"),
        ([-1, 2], "labels must not be negative, but one is -1"),
        ([0, 1, 2], "3 labels for 2 images"),
        ([0.5, 1.0], r"labels must be class numbers, but label 0 is 0\.5"),
    ],
)
def test_labels_of_other_data_are_rejected(labels: list[int], message: str):
    with pytest.raises(DataError, match=message):
        per_class(np.array([0, 1]), np.array(labels), count=4)


def test_power_estimate_equals_the_paper():
    """Feedback thresholds, Eq. 9 – 10: 1.42·10^7 synapses, 742 images/s, 3.9 mW."""
    assert power_estimate(1.42e7, 742) == pytest.approx(3.9e-3, rel=2e-3)
    assert power_estimate(10, 20, synapse_energy_j=0.5) == 100
    with pytest.raises(ValueError, match="must not be negative, but are 1, -2"):
        power_estimate(1, -2)


def test_synapses_by_hand():
    """3×3 convolution with padding to 2 channels of 3×3: 18·9; linear from 18 to 18: 18·18."""
    conv = Conv2d(source="input", weights=np.ones((2, 1, 3, 3), np.int32), padding=(1, 1, 1, 1))
    network = readout_of(conv, (1, 3, 3))
    assert golden.synapse_count(network) == 18 * 9 + 18 * 18


def test_synapses_of_several_projections():
    """Four neurons, each with 4 linear inputs and 1 identity input."""
    both = (
        Linear(source="input", weights=np.ones((4, 4), np.int32)),
        Identity(source="input", weights=np.ones(4, np.int32)),
    )
    last = Layer(name="out", projections=both, bias=np.zeros(4, np.int64), neuron=Readout())
    network = Network(name="n", input=Input(shape=(4, 1, 1), timesteps=2), nodes=(last,))
    assert synapse_count(network) == 4 * (4 + 1)
