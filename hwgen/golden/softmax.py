"""The spiking softmax, as :class:`hwgen.network.SoftmaxReadout` defines it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hwgen.golden.lfsr import read_draws, states
from hwgen.network import Layer, SoftmaxReadout


def count_spikes(
    currents: Iterable[np.ndarray], layer: Layer, neuron: SoftmaxReadout
) -> tuple[np.ndarray, np.ndarray]:
    """The spikes of each class, and the membranes that the last step leaves.

    Both int64 (n, 1, 1, classes), as the currents of each timestep are.
    """
    draws = softmax_draws(neuron, layer.bias.size)
    membrane: np.ndarray | None = None
    counts: np.ndarray | None = None
    for current, numbers in zip(currents, draws, strict=True):
        if membrane is None or counts is None:
            membrane = np.zeros(current.shape, dtype=np.int64)
            counts = np.zeros_like(membrane)
        np.add(membrane, current, out=membrane, casting="unsafe")
        membrane += layer.bias
        counts += softmax_spikes(membrane, numbers, neuron)
    assert membrane is not None
    assert counts is not None
    return counts, membrane


def softmax_spikes(membrane: np.ndarray, draws: np.ndarray, neuron: SoftmaxReadout) -> np.ndarray:
    """Which classes, the last axis of ``membrane``, spike for the numbers of their timestep."""
    below = membrane.max(axis=-1, keepdims=True) - membrane
    table = neuron.table.astype(np.int64)
    entries = table[np.minimum(below >> neuron.shift, len(table) - 1)]
    spikes: np.ndarray = draws * entries.sum(axis=-1, keepdims=True) < (
        entries << neuron.random_bits
    )
    return spikes


def softmax_draws(neuron: SoftmaxReadout, classes: int) -> np.ndarray:
    """r of each timestep and class, int64 (T, classes)."""
    starts = states(neuron.seed, classes * neuron.random_bits, neuron.timesteps)
    return read_draws(starts, classes, neuron.random_bits)
