"""Spikes, synaptic operations and multiply-adds against hand-counted numbers."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen import golden
from hwgen.golden import costs
from hwgen.network import (
    Code,
    Conv2d,
    Identity,
    Input,
    Layer,
    Linear,
    Network,
    Readout,
    TrainType,
)
from tests.support.tiny import layer, readout_of


def test_convolution_counts_fewer_windows_at_the_borders():
    """3×3 kernel, padding 1, on a 3×3 map: a corner is in 4 windows, an edge in 6, the centre in 9.

    Two output channels. Pixels 3 = 11b (two spikes) in a corner, 1 in the centre, 2 on an edge:
    2·(2·4 + 1·9 + 1·6) = 46.
    """
    conv = Conv2d(source="input", weights=np.ones((2, 1, 3, 3), np.int32), padding=(1, 1, 1, 1))
    network = readout_of(conv, (1, 3, 3))
    image = np.array([[3, 0, 0], [0, 1, 2], [0, 0, 0]], np.uint8)[None, None]
    for steps in (False, True):
        result = golden.run(network, image, steps=steps)
        assert result.spikes["input"].tolist() == [4]
        assert result.synaptic_operations["c"].tolist() == [46]
    assert result.neurons == {"input": 9, "c": 18, "f": 18}
    assert result.macs == {"c": 18 * 9, "out": 18 * 18}


def test_padding_at_the_top_repeats_the_first_row_only():
    """2×1 kernel, one row of padding at the top: the windows are rows (−1, 0) and (0, 1).

    Row 0 is in two of them and row 1 in one. Pixels 1 = 01b and 3 = 11b: 1·2 + 2·1 = 4.
    """
    conv = Conv2d(source="input", weights=np.ones((1, 1, 2, 1), np.int32), padding=(1, 0, 0, 0))
    image = np.array([1, 3], np.uint8).reshape(1, 1, 2, 1)
    result = golden.run(readout_of(conv, (1, 2, 1)), image)
    assert result.synaptic_operations["c"].tolist() == [4]


def test_strides_and_groups_reduce_the_operations_per_pixel():
    """1×1 kernel, stride 2 on 3×3: only the four corners lie in a window; 3 channels per group."""
    weights = np.ones((6, 1, 1, 1), np.int32)
    conv = Conv2d(source="input", weights=weights, stride=(2, 2), groups=2)
    network = readout_of(conv, (2, 3, 3))
    image = np.full((1, 2, 3, 3), 1, np.uint8)
    result = golden.run(network, image)
    assert result.spikes["input"].tolist() == [18]
    assert result.synaptic_operations["c"].tolist() == [2 * 4 * 3]
    assert result.macs["c"] == 6 * 4 * 1


def test_spikes_of_the_pad_value_trigger_additions():
    """2×2 map, 3×3 kernel, padding 1: 4 windows of 9 taps, 16 of them inside, 20 outside.

    The pad value 3 = 11b sends two spikes per outside tap.
    """
    conv = Conv2d(
        source="input",
        weights=np.ones((1, 1, 3, 3), np.int32),
        padding=(1, 1, 1, 1),
        pad_value=np.array([3], np.int32),
    )
    network = readout_of(conv, (1, 2, 2))
    result = golden.run(network, np.zeros((1, 1, 2, 2), np.uint8), trains=True)
    assert result.synaptic_operations["c"].tolist() == [40]
    # Each window has 5 taps outside: 5·3 = 15.
    assert result.values["c"].ravel().tolist() == [15] * 4
    closed = golden.run(network, np.zeros((1, 1, 2, 2), np.uint8))
    assert closed.logits.tolist() == [[15] * 4]


def test_spikes_of_the_pad_value_reach_every_output_channel():
    """As before, with three output channels: 3·40 additions."""
    conv = Conv2d(
        source="input",
        weights=np.ones((3, 1, 3, 3), np.int32),
        padding=(1, 1, 1, 1),
        pad_value=np.array([3], np.int32),
    )
    result = golden.run(readout_of(conv, (1, 2, 2)), np.zeros((1, 1, 2, 2), np.uint8))
    assert result.synaptic_operations["c"].tolist() == [120]


def test_projections_add_their_operations():
    """Two spikes through a linear projection to 3 neurons and an identity: 2·3 + 2·1 operations."""
    source = Input(shape=(3, 1, 1), timesteps=1, pixel_bits=1)
    both = Layer(
        name="out",
        projections=(
            Linear(source="input", weights=np.ones((3, 3), np.int32)),
            Identity(source="input", weights=np.array([1, 2, 3], np.int32)),
        ),
        bias=np.zeros(3, np.int64),
        neuron=Readout(),
    )
    network = Network(name="n", input=source, nodes=(both,))
    result = golden.run(network, np.array([1, 0, 1], np.uint8).reshape(1, 3, 1, 1))
    assert result.logits.tolist() == [[3, 2, 5]]
    assert result.synaptic_operations["out"].tolist() == [8]
    assert result.macs["out"] == 3 * (3 + 1)


@pytest.mark.parametrize("code", ["radix", "rate", "ttfs"])
@pytest.mark.parametrize("timesteps", [5, 8, 11])
@pytest.mark.parametrize("channels", [1, 3, 4, 8, 16])
def test_counts_of_values_equal_counts_of_trains(code, timesteps, channels):
    train_type = TrainType(shape=(channels, 3, 2), code=code, timesteps=timesteps)
    readers = [
        Conv2d(source="x", weights=np.ones((5, channels, 2, 2), np.int32), padding=(1, 0, 0, 1)),
        Identity(source="x", weights=np.ones(channels, np.int32)),
    ]
    tally = costs.Tally(train_type, readers)
    rng = np.random.default_rng(2)
    dtype = np.uint8 if train_type.q_max < 256 else np.uint16
    values = rng.integers(0, train_type.q_max, size=(4, 3, 2, channels), endpoint=True, dtype=dtype)
    train = Code(code).encode_train(values, timesteps)
    counted = tally.of_values(values)
    assert counted[:, 0].tolist() == train.sum(axis=(0, 2, 3, 4), dtype=int).tolist()
    np.testing.assert_array_equal(counted, tally.of_train(train))


def test_spikes_are_counted_without_numpy_2(monkeypatch):
    words = np.random.default_rng(1).integers(0, 1 << 63, size=(5, 3), dtype=np.uint64)
    expected = [[int(word).bit_count() for word in row] for row in words]
    assert costs._popcount(words).tolist() == expected
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert costs._popcount(words).tolist() == expected


def test_spikes_per_neuron():
    source = Input(shape=(4, 1, 1), timesteps=2, pixel_bits=2)
    network = Network(
        name="n", input=source, nodes=(layer("out", "input", np.ones((1, 4)), [0], Readout()),)
    )
    images = np.array([[3, 0, 0, 0], [3, 3, 1, 0]], np.uint8).reshape(2, 4, 1, 1)
    result = golden.run(network, images)
    assert result.spikes["input"].tolist() == [2, 5]
    assert result.spikes_per_neuron("input") == 3.5 / 4
