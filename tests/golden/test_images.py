"""Images of other types and shapes: accepted, or rejected with a remedy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen import golden
from hwgen.errors import DataError
from hwgen.golden.images import check_images
from hwgen.network import Conv2d, Input, Layer, Network, Readout
from tests.support.random_networks import random_images, random_network
from tests.support.results import assert_counts_equal
from tests.support.tiny import ints


@pytest.mark.parametrize("neuron", ["radix", "rate_single"])
@pytest.mark.parametrize("dtype", [">u2", "u4", "u8"])
def test_results_do_not_depend_on_the_unsigned_type(neuron, dtype):
    network = random_network(8, neuron=neuron)
    images = random_images(8, network, 4)
    expected = golden.run(network, images, trains=True)
    assert_counts_equal(expected, golden.run(network, images.astype(dtype)))
    assert_counts_equal(expected, golden.run(network, images.astype(dtype), steps=True))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ("images.npz", "array, a tensor, a data set or a loader, not str; hwgen.datasets.load"),
        ([[1]], r"shape \(N, 3, 4, 5\), not \(1, 1\); resize them"),
        ([[1], [1, 2]], "list of parts with different shapes; bring all samples to one shape"),
        (np.full((2, 3, 4, 5), -1), "must not be negative, but the minimum is -1"),
        (np.full((2, 3, 4, 5), -0.5), "from -0.5 to -0.5 are not pixels 0 … 63"),
        (np.full((2, 3, 4, 5), np.nan), "image 0 has a value that is NaN or infinite"),
        (
            np.zeros((3, 4, 5), np.uint8),
            r"not \(3, 4, 5\); add the axis of samples",
        ),
        (np.zeros((2, 5, 4, 3), np.uint8), "resize them"),
        (np.zeros((2, 60), np.uint8), r"images\.reshape\(-1, 3, 4, 5\)"),
        (np.zeros((2, 3, 5, 5), np.uint8), "resize them"),
        (np.zeros((0, 3, 4, 5), np.uint8), r"are empty, shape \(0, 3, 4, 5\); give at least one"),
        (np.full((2, 3, 4, 5), 64, np.uint8), "a pixel of 64, .* 6 bits, 0 … 63; scale them"),
    ],
)
def test_images_that_do_not_fit_are_rejected(images, message):
    network = Network(
        name="net",
        input=Input(shape=(3, 4, 5), timesteps=2, pixel_bits=6),
        nodes=(
            Layer(
                name="out",
                projections=(Conv2d(source="input", weights=np.ones((1, 3, 4, 5), np.int32)),),
                bias=ints(0),
                neuron=Readout(),
            ),
        ),
    )
    with pytest.raises(DataError, match=f"net: images:? .*{message}"):
        golden.run(network, images)
    fitting = np.full((2, 3, 4, 5), 63, np.uint32)
    assert golden.run(network, fitting).logits.tolist() == [[180], [180]]


def test_grey_images_need_no_axis_of_channels():
    network = random_network(0)
    network = replace(network, input=replace(network.input, shape=(1, 6, 7), pixel_bits=8))
    grey = np.random.default_rng(0).integers(0, 256, (5, 6, 7), dtype=np.uint8)
    np.testing.assert_array_equal(check_images(network, grey), grey[:, None])
    np.testing.assert_array_equal(check_images(network, grey[..., None]), grey[:, None])


def test_floats_are_read_by_the_scaling_of_the_conversion():
    """By hand: (pixel / 255 − 0.25) / 0.5 of the pixels 0 and 255 is −0.5 and 1.5."""
    network = random_network(0)
    network = replace(
        network,
        input=replace(network.input, shape=(1, 1, 2), pixel_bits=8),
        provenance={"scale": 1 / 255, "mean": [0.25], "std": [0.5]},
    )
    for floats in ([-0.5, 1.5], [0.0, 1.0], [0.0, 255.0]):
        found = check_images(network, np.array(floats).reshape(1, 1, 1, 2))
        assert found.tolist() == [[[[0, 255]]]]
        assert found.dtype == np.uint8
    sixteenths = replace(network, provenance={"scale": 1 / 16})
    floats = np.array([0.25, 1]).reshape(1, 1, 1, 2)
    assert check_images(sixteenths, floats).tolist() == [[[[4, 16]]]]


@pytest.mark.parametrize("scale", [None, "x", 0, -1, float("nan"), [1, 2], {}])
def test_provenance_may_hold_anything(scale):
    network = random_network(0)
    network = replace(
        network,
        input=replace(network.input, shape=(1, 1, 2), pixel_bits=8),
        provenance={"scale": scale, "mean": "x", "std": [0]},
    )
    floats = np.array([0.0, 1.0]).reshape(1, 1, 1, 2)
    assert check_images(network, floats).tolist() == [[[[0, 255]]]]
