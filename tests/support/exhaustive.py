"""Linear layers small enough for every input train, and the width of a set of numbers."""

from __future__ import annotations

import numpy as np

from hwgen.network import Layer, Linear, Neuron


def bits_of(numbers: set[int]) -> int:
    """Minimum width of a two's complement number that holds each of ``numbers``."""
    width = 1
    while not all(-(1 << width - 1) <= number < 1 << width - 1 for number in numbers):
        width += 1
    return width


def layer_of(weights: np.ndarray, bias: np.ndarray, neuron: Neuron) -> Layer:
    """Linear layer on the input."""
    projection = Linear(source="input", weights=weights.astype(np.int32))
    return Layer(name="n", projections=(projection,), bias=bias.astype(np.int64), neuron=neuron)
