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
        ([[1]], r"NumPy array of unsigned integers, not list; use np\.asarray"),
        (np.zeros((2, 3, 4, 5)), "unsigned integers, not float64; scale the pixels to 0 … 255"),
        (np.zeros((2, 3, 4, 5), np.int64), r"not int64; cast them with images\.astype"),
        (np.zeros((2, 3, 4, 5), bool), "not bool; cast them"),
        (
            np.zeros((3, 4, 5), np.uint8),
            r"not \(3, 4, 5\); add the axis of samples",
        ),
        (np.zeros((2, 4, 5, 3), np.uint8), "put channels first"),
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
    with pytest.raises(DataError, match=f"net: images .*{message}"):
        golden.run(network, images)
    fitting = np.full((2, 3, 4, 5), 63, np.uint32)
    assert golden.run(network, fitting).logits.tolist() == [[180], [180]]


def test_grey_images_without_channels_get_a_hint():
    network = random_network(0)
    network = replace(network, input=replace(network.input, shape=(1, 6, 7)))
    with pytest.raises(DataError, match=r"add the axis of channels: images\[:, None\]"):
        check_images(network, np.zeros((5, 6, 7), np.uint8))
