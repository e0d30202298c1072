"""The spiking softmax step by step, as :class:`hwgen.network.SoftmaxReadout` defines it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hwgen.golden.draws import read_draws, register_states
from hwgen.network import Layer, SoftmaxReadout


def softmax_train(
    currents: Iterable[np.ndarray], layer: Layer, neuron: SoftmaxReadout
) -> tuple[np.ndarray, np.ndarray]:
    """The train of the classes, and the membranes after the last step.

    Returns
    -------
    uint8 (T, n, 1, 1, classes), int64 (n, 1, 1, classes)
    """
    draws = softmax_draws(neuron, layer.bias.size)
    membrane: np.ndarray | None = None
    train = []
    for current, numbers in zip(currents, draws, strict=True):
        if membrane is None:
            membrane = np.zeros(current.shape, dtype=np.int64)
        np.add(membrane, current, out=membrane, casting="unsafe")
        membrane += layer.bias
        train.append(softmax_spikes(membrane, numbers, neuron).astype(np.uint8))
    assert membrane is not None
    return np.stack(train), membrane


def softmax_spikes(membrane: np.ndarray, draws: np.ndarray, neuron: SoftmaxReadout) -> np.ndarray:
    """Spikes of the classes, the last axis of ``membrane``, for the numbers of one timestep."""
    below = membrane.max(axis=-1, keepdims=True) - membrane
    table = neuron.table.astype(np.int64)
    entries = table[np.minimum(below >> neuron.shift, len(table) - 1)]
    spikes: np.ndarray = draws * entries.sum(axis=-1, keepdims=True) < (
        entries << neuron.random_bits
    )
    return spikes


def softmax_draws(neuron: SoftmaxReadout, classes: int) -> np.ndarray:
    """r of each timestep and class, int64 (T, classes)."""
    starts = register_states(neuron.seed, classes * neuron.random_bits, neuron.timesteps)
    return read_draws(starts, classes, neuron.random_bits)
