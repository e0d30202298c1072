"""Codes that mean x = λ·q + μ: what scales and offsets do to the integer projections."""

from __future__ import annotations

import numpy as np

from hwgen.conversion.calibration.input_decoding import Decoding
from hwgen.conversion.float_graph import FloatConv2d, FloatLinear
from hwgen.conversion.quantisation.projections import offset_sum, per_code
from hwgen.network import Conv2d, Identity, Linear

# λ = 2, 4 and μ = 3, 20: μ/λ is 1.5 and 5.
DECODING = Decoding(scale=np.array([2.0, 4.0]), offset=np.array([3.0, 20.0]))


def test_offsets_of_a_grouped_convolution_stay_in_their_group() -> None:
    """Two groups of one input and two outputs; the taps of an output sum to 3, 6, 9 and 12."""
    weights = np.arange(1, 5, dtype=np.int32).reshape(4, 1, 1, 1) * np.ones((4, 1, 1, 3), np.int32)
    conv = Conv2d(source="x", weights=weights, groups=2)
    assert offset_sum(conv, DECODING).tolist() == [3 * 1.5, 6 * 1.5, 9 * 5, 12 * 5]


def test_offsets_of_other_projections() -> None:
    linear = Linear(source="x", weights=np.array([[1, 1], [2, -1]], np.int32))
    assert offset_sum(linear, DECODING).tolist() == [6.5, -2]
    whole = Conv2d(source="x", weights=linear.weights.reshape(2, 2, 1, 1))
    assert offset_sum(whole, DECODING).tolist() == [6.5, -2]
    same = Identity(source="x", weights=np.array([2, 3], np.int32))
    assert offset_sum(same, DECODING).tolist() == [3, 15]


def test_weights_per_unit_of_a_code() -> None:
    conv = FloatConv2d(source="x", weights=np.ones((4, 1, 1, 1)), groups=2)
    assert per_code(conv, DECODING).ravel().tolist() == [2, 2, 4, 4]
    linear = FloatLinear(source="x", weights=np.array([[1.0, 10.0]]))
    assert per_code(linear, DECODING).tolist() == [[2, 40]]
