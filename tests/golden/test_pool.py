"""Max-pooling of values and the race between trains, by hand and against each other."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.golden.pool import pool_counts, pool_train, pool_values
from hwgen.network import Code, MaxPool2d


def pool(kernel, stride, padding=(0, 0, 0, 0)):
    return MaxPool2d(name="p", source="x", kernel=kernel, stride=stride, padding=padding)


def test_race_by_hand():
    """5 = 101b, 6 = 110b, 3 = 011b, 6: step 1 eliminates 3, step 2 eliminates 5, step 3 is 0."""
    values = np.array([[5, 6], [3, 6]]).reshape(1, 2, 2, 1)
    train = pool_train(Code("radix").encode_train(values, 3), pool((2, 2), (2, 2)))
    assert train.ravel().tolist() == [1, 1, 0]


def test_eliminated_candidates_stay_silent():
    """4 = 100b and 3 = 011b: step 1 eliminates 3, so its spikes in steps 2 and 3 are ignored."""
    values = np.array([4, 3]).reshape(1, 1, 2, 1)
    train = pool_train(Code("radix").encode_train(values, 3), pool((1, 2), (1, 2)))
    assert train.ravel().tolist() == [1, 0, 0]


def test_overlapping_windows_with_padding_by_hand():
    values = np.array([[1, 5, 2], [7, 0, 3], [4, 6, 0]]).reshape(1, 3, 3, 1)
    best = pool_values(values.astype(np.uint8), pool((2, 2), (1, 2), (1, 0, 0, 1)))
    # Rows (outside, 0), (0, 1), (1, 2); columns (0, 1), (2, outside).
    assert best[0, :, :, 0].tolist() == [[5, 2], [7, 3], [7, 3]]


@pytest.mark.parametrize("code", ["radix", "rate", "ttfs"])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [
        ((2, 2), (2, 2), (0, 0, 0, 0)),
        ((3, 3), (2, 2), (1, 1, 1, 1)),
        ((3, 2), (1, 3), (2, 0, 0, 1)),
        ((1, 1), (2, 1), (0, 0, 0, 0)),
        ((2, 3), (3, 2), (0, 2, 1, 0)),
    ],
)
def test_race_finds_the_maximum(code, kernel, stride, padding):
    values = np.random.default_rng(5).integers(0, 5, size=(3, 7, 8, 4), dtype=np.uint8)
    one = pool(kernel, stride, padding)
    expected = np.zeros((3, *one.output_shape((4, 7, 8))[1:], 4), dtype=np.uint8)
    for image, y, x, channel in np.ndindex(expected.shape):
        rows, columns = (
            range(max(0, start), min(size, start + width))
            for start, size, width in (
                (y * stride[0] - padding[0], 7, kernel[0]),
                (x * stride[1] - padding[1], 8, kernel[1]),
            )
        )
        window = [values[image, row, column, channel] for row in rows for column in columns]
        expected[image, y, x, channel] = max(window, default=0)
    np.testing.assert_array_equal(pool_values(values, one), expected)
    train = pool_train(Code(code).encode_train(values, 4), one)
    np.testing.assert_array_equal(train, Code(code).encode_train(expected, 4))


def test_gate_of_counts_by_hand():
    """Counts after each step: (1, 0), (1, 1), (1, 2), (2, 2), (2, 3); the first maximum wins."""
    train = np.array([[1, 0], [0, 1], [0, 1], [1, 0], [0, 1]], np.uint8).reshape(5, 1, 1, 2, 1)
    gated = pool_counts(train, pool((1, 2), (1, 2)))
    assert gated.ravel().tolist() == [1, 0, 1, 1, 1]
