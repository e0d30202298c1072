"""Inverse leaks of k = 1 + n/2^m < 2, step by step (:mod:`hwgen.network.neurons`)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hwgen.network import InverseLeak, InverseLeakyNeuron


def grow(membrane: np.ndarray, leak: InverseLeak) -> np.ndarray:
    """L(V) = V + ⌊V·n/2^m⌋, int64; NumPy's shift of a negative number rounds down."""
    grown: np.ndarray = membrane + ((membrane * leak.n) >> leak.m)
    return grown


def accumulate(currents: Iterable[np.ndarray], leak: InverseLeak, frac_bits: int) -> np.ndarray:
    """Phase I on trains of ``leak``: V in units of 2^−frac_bits, int64."""
    membrane: np.ndarray | None = None
    for current in currents:
        added = current.astype(np.int64) << frac_bits
        membrane = added if membrane is None else grow(membrane, leak) + added
    assert membrane is not None
    return membrane


def level(neuron: InverseLeakyNeuron) -> np.ndarray:
    """D of each channel: θ after T2 − 1 leaks."""
    reached = neuron.threshold.astype(np.int64)
    for _ in range(neuron.timesteps - 1):
        reached = grow(reached, neuron.leak)
    return reached


def largest(neuron: InverseLeakyNeuron) -> np.ndarray:
    """V̂ of each channel, which the clamp leaves: D + ⌈D·2^m/n⌉."""
    reached = level(neuron)
    most: np.ndarray = reached - (-reached << neuron.leak.m) // neuron.leak.n
    return most


def fire(membrane: np.ndarray, neuron: InverseLeakyNeuron) -> np.ndarray:
    """Clamp and Phase II: the train (T2, …); ``membrane`` is left as it was."""
    reached = level(neuron)
    left = np.clip(membrane, 0, largest(neuron))
    train = np.empty((neuron.timesteps, *membrane.shape), dtype=np.uint8)
    for spikes in train:
        fired = left >= reached
        left = grow(left - fired * reached, neuron.leak)
        spikes[...] = fired
    return train
