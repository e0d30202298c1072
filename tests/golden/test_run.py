"""Complete runs: batches, threads, memory, number ranges, and illegal networks."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from hwgen import golden
from hwgen.errors import NetworkError
from hwgen.golden import layers, threads
from hwgen.golden.bounds import bound, exact_dtype
from hwgen.network import (
    Conv2d,
    Input,
    InverseLeakyNeuron,
    JoinedTrains,
    Layer,
    Network,
    Readout,
    SoftResetNeuron,
)
from tests.support.random_networks import random_images, random_network
from tests.support.results import assert_counts_equal
from tests.support.tiny import ints, layer, one_neuron


@pytest.mark.parametrize("workers", ["1", "2", "3"])
@pytest.mark.parametrize(("seed", "neuron"), [(0, None), (5, None), (17, None), (2, "rate_single")])
def test_results_do_not_depend_on_batches_and_threads(monkeypatch, workers, seed, neuron):
    network = random_network(seed, neuron=neuron)
    images = random_images(seed, network, 23)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    expected = golden.run(network, images, trains=True)
    monkeypatch.setenv("OMP_NUM_THREADS", workers)
    monkeypatch.setattr(layers, "CACHE_BYTES", 1 << 13)  # processes a batch a few images at a time
    for batch in (1, 5, 256):
        assert_counts_equal(expected, golden.run(network, images, batch=batch))
        measured = golden.run(network, images, batch=batch, trains=True)
        for node, train in expected.trains.items():
            np.testing.assert_array_equal(measured.trains[node], train)
    assert golden.classify(network, images, batch=7).tolist() == expected.classes.tolist()


def test_workers_respect_omp_num_threads(monkeypatch):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for value, expected in (("3", 3), ("1", 1), ("64", 8), ("", 8), ("0", 8), ("two", 8)):
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert threads.workers() == expected


def test_progress_is_called_after_each_batch(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    network = random_network(3)
    done = []
    golden.run(network, random_images(3, network, 10), batch=4, progress=done.append)
    assert done == [4, 8, 10]


def test_results_have_the_documented_types_and_shapes():
    network = random_network(6, neuron="radix")
    train_types = network.train_types
    result = golden.run(network, random_images(6, network, 5), trains=True)
    assert result.classes.dtype == result.logits.dtype == np.int64
    assert result.logits.shape == (len(result), network.logits) == (5, network.classes)
    assert list(result.trains) == [name for name in train_types if name != network.readout.name]
    for name, train in result.trains.items():
        assert train.dtype == np.uint8
        assert train.shape == (5, train_types[name].timesteps, *train_types[name].shape)
        assert result.values[name].shape == (5, *train_types[name].shape)
        assert result.spikes[name].tolist() == train.sum(axis=(1, 2, 3, 4), dtype=int).tolist()
    assert list(result.membranes) == [layer.name for layer in network.layers]
    assert result.membranes[network.readout.name].shape == (5, network.logits, 1, 1)
    closed = golden.run(network, random_images(6, network, 5))
    assert closed.trains == closed.values == closed.membranes == {}


def test_memory_does_not_grow_with_the_number_of_images(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    conv = Conv2d(source="input", weights=np.ones((64, 3, 3, 3), np.int32), padding=(1, 1, 1, 1))
    network = Network(
        name="n",
        input=Input(shape=(3, 32, 32), timesteps=8),
        nodes=(
            Layer(
                name="c",
                projections=(conv,),
                bias=np.zeros(64, np.int64),
                neuron=InverseLeakyNeuron(threshold=np.full(64, 30), timesteps=8),
            ),
            Layer(
                name="out",
                projections=(Conv2d(source="c", weights=np.ones((1, 64, 32, 32), dtype=np.int32)),),
                bias=ints(0),
                neuron=Readout(),
            ),
        ),
    )
    images = np.zeros((2000, 3, 32, 32), np.uint8)
    tracemalloc.start()
    try:
        golden.run(network, images, batch=2000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60 << 20  # the maps of all images together would take 131 MB


# --- range ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "timesteps", "dtype"),
    [(127, 8, "float32"), (32767, 16, "float64"), (32767, 16, "int64")],
)
def test_extremes_of_the_range_are_exact(weight, timesteps, dtype):
    """The largest sums of each number type, against Python integers."""
    fan_in = {"float32": 512, "float64": 1 << 15, "int64": 1 << 15}[dtype]
    shift = 16 if dtype == "int64" else 0
    signs = np.where(np.arange(fan_in) % 3 == 0, -1, 1)
    threshold = (weight * (1 << timesteps) * fan_in << shift) // (1 << timesteps) // 4 + 1
    network = Network(
        name="n",
        input=Input(shape=(fan_in, 1, 1), timesteps=timesteps, pixel_bits=timesteps),
        nodes=(
            layer(
                "n",
                "input",
                [weight * signs, -weight * signs],
                [(1 << 40) + 1, 1],
                InverseLeakyNeuron(
                    threshold=ints(threshold, 1), timesteps=16, threshold_frac_bits=shift
                ),
            ),
            layer("out", "n", [[1, 0], [0, 1], [-32768, 32767]], [0, 0, 1 << 46], Readout()),
        ),
    )
    joined = JoinedTrains((network.train_types["input"],))
    product = bound(network.nodes[0], joined, where="n").product
    assert exact_dtype(product) == dtype
    images = np.full((2, fan_in, 1, 1), (1 << timesteps) - 1, np.uint16)
    images[1, ::3] = 0
    expected = []
    for image in images.reshape(2, -1):
        q = []
        for row, bias, level in zip(
            network.nodes[0].projections[0].weights, ((1 << 40) + 1, 1), (threshold, 1)
        ):
            total = sum(int(w) * int(x) for w, x in zip(row, image))
            q.append(min(max(((total << shift) + bias) // level, 0), (1 << 16) - 1))
        expected.append([q[0], q[1], -32768 * q[0] + 32767 * q[1] + (1 << 46)])
    assert golden.run(network, images).logits.tolist() == expected
    assert golden.run(network, images, steps=True).logits.tolist() == expected


def test_a_membrane_past_62_bits_is_rejected():
    neuron = InverseLeakyNeuron(threshold=ints(1), timesteps=1, threshold_frac_bits=16)
    network = Network(
        name="net",
        input=Input(shape=(1 << 16, 1, 1), timesteps=16),
        nodes=(
            layer("wide", "input", np.full((1, 1 << 16), 32767), [0], neuron),
            layer("out", "wide", [[1]], [0], Readout()),
        ),
    )
    with pytest.raises(NetworkError, match=r"net\.wide: .* 64 bits.*fewer threshold_frac_bits"):
        golden.run(network, np.zeros((1, 1 << 16, 1, 1), np.uint8))


def test_a_clamp_past_62_bits_is_rejected():
    neuron = InverseLeakyNeuron(threshold=ints(1 << 46), timesteps=16)
    network = one_neuron(neuron, weight=1, bias=0, timesteps=2, code="radix", pixel_bits=2)
    with pytest.raises(NetworkError, match=r"tiny\.n: a membrane may need 64 bits"):
        golden.run(network, np.zeros((1, 1, 1, 1), np.uint8))


def test_bounds_are_tight():
    """Weights 3, −5, 7 with q_max = 3: sums −15 … 30; with B = −4 and f = 1: −34 … 56."""
    neuron = InverseLeakyNeuron(threshold=ints(5), timesteps=2, threshold_frac_bits=1)
    network = Network(
        name="n",
        input=Input(shape=(3, 1, 1), timesteps=2, pixel_bits=2),
        nodes=(
            layer("n", "input", [[3, -5, 7]], [-4], neuron),
            layer("out", "n", [[1]], [0], Readout()),
        ),
    )
    bounds = bound(network.nodes[0], JoinedTrains((network.train_types["input"],)), where="n")
    assert (bounds.step, bounds.product, bounds.membrane, bounds.span) == (10, 60, 60, 20)
    extremes = np.array([[3, 0, 3], [0, 3, 0]], np.uint8).reshape(2, 3, 1, 1)
    membranes = golden.run(network, extremes, trains=True).membranes["n"]
    assert membranes.ravel().tolist() == [56, -34]


def test_the_bound_of_a_single_phase_membrane_is_its_lowest_value():
    """w = −7, B = −2, four spikes: 4·(−9) = −36 is left; the threshold of 1 is on top."""
    neuron = SoftResetNeuron(two_phase=False, threshold=ints(1), timesteps=4)
    network = one_neuron(neuron, weight=-7, bias=-2, timesteps=4, code="rate", pixel_bits=8)
    bounds = bound(network.nodes[0], JoinedTrains((network.train_types["input"],)), where="n")
    assert (bounds.step, bounds.membrane) == (7, 37)
    white = np.full((1, 1, 1, 1), 255, np.uint8)
    result = golden.run(network, white, trains=True)
    assert result.trains["input"].sum() == 4
    assert result.membranes["n"].item() == -36


def test_an_illegal_network_is_rejected_before_it_runs():
    neuron = SoftResetNeuron(threshold=ints(0), timesteps=2)
    network = one_neuron(neuron, weight=1, bias=0, timesteps=2, code="radix", pixel_bits=2)
    with pytest.raises(NetworkError, match="threshold must be at least 1, not 0"):
        golden.run(network, np.zeros((1, 1, 1, 1), np.uint8))
