"""Spike codes and input encoders against hand-written trains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from hwgen.golden import inputs
from hwgen.network import Code, Input
from tests.support.cases import case_id


def test_radix_train_is_most_significant_first():
    train = Code("radix").encode_train(np.array([0, 1, 5, 6, 7]), 3)
    assert train.T.tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 1, 0], [1, 1, 1]]


def test_rate_train_starts_with_its_spikes():
    train = Code("rate").encode_train(np.array([0, 1, 2, 3]), 3)
    assert train.T.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]


@pytest.mark.parametrize("code", ["radix", "rate", "ttfs"])
@pytest.mark.parametrize("timesteps", [1, 3, 8, 9, 16])
def test_decoding_inverts_encoding(code, timesteps):
    values = np.arange(Code(code).q_max(timesteps) + 1)
    np.testing.assert_array_equal(
        Code(code).decode_train(Code(code).encode_train(values, timesteps)), values
    )


def test_decoding_a_rate_train_ignores_the_order_of_spikes():
    train = np.array([[0, 1], [1, 0], [1, 0], [0, 1]], dtype=np.uint8)
    assert Code("rate").decode_train(train).tolist() == [2, 2]
    assert Code("radix").decode_train(train).tolist() == [6, 9]


class Radix(NamedTuple):
    timesteps: int
    pixel_bits: int
    pixel: int
    train: list[int]


@pytest.mark.parametrize(
    "case",
    [
        Radix(timesteps=8, pixel_bits=8, pixel=0b10110001, train=[1, 0, 1, 1, 0, 0, 0, 1]),
        # The three most significant bits; cut off, not rounded.
        Radix(timesteps=3, pixel_bits=8, pixel=0b10110001, train=[1, 0, 1]),
        Radix(timesteps=3, pixel_bits=8, pixel=0b10111111, train=[1, 0, 1]),
        # Silent after the last bit.
        Radix(timesteps=4, pixel_bits=2, pixel=0b10, train=[1, 0, 0, 0]),
        Radix(timesteps=2, pixel_bits=1, pixel=1, train=[1, 0]),
    ],
    ids=case_id,
)
def test_radix_input(case):
    source = Input(shape=(1, 1, 1), timesteps=case.timesteps, pixel_bits=case.pixel_bits)
    train = inputs.input_train(np.array([case.pixel], np.uint16), source)
    assert train[:, 0].tolist() == case.train


@pytest.mark.parametrize(
    ("pixel", "train"),
    [
        # a₀ = 4 of 8. x = 3: 7; 10 fires, leaves 2; 5; 8 fires, leaves 0.
        (3, [0, 1, 0, 1]),
        # x = 7: 11 fires, leaves 3; 10 fires, leaves 2; 9 fires, leaves 1; 8 fires.
        (7, [1, 1, 1, 1]),
        # x = 4 fires in the first step: 4 + 4 = 8 ≥ 8, leaves 0. Then 4; 8 fires; 4.
        (4, [1, 0, 1, 0]),
        (0, [0, 0, 0, 0]),
    ],
)
def test_rate_input(pixel, train):
    source = Input(shape=(1, 1, 1), timesteps=4, code="rate", pixel_bits=3)
    assert inputs.input_train(np.array([pixel], np.uint8), source)[:, 0].tolist() == train


@pytest.mark.parametrize("code", ["radix", "rate", "ttfs"])
@pytest.mark.parametrize("timesteps", [1, 2, 5, 8, 16])
@pytest.mark.parametrize("pixel_bits", [1, 3, 8, 12, 16])
def test_closed_form_of_the_input_equals_its_train(code, timesteps, pixel_bits):
    source = Input(shape=(1, 1, 1), timesteps=timesteps, code=code, pixel_bits=pixel_bits)
    pixels = np.arange(1 << pixel_bits, dtype=np.uint16)
    if pixel_bits <= 8:
        pixels = pixels.astype(np.uint8)
    train = inputs.input_train(pixels, source)
    np.testing.assert_array_equal(
        inputs.input_values(pixels, source), Code(code).decode_train(train)
    )
