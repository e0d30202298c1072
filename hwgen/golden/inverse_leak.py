"""Inverse leaks of k = 1 + n/2^m < 2, step by step (:mod:`hwgen.network.neuron`)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hwgen.network import InverseLeak, InverseLeakyNeuron


def accumulate(currents: Iterable[np.ndarray], leak: InverseLeak, frac_bits: int) -> np.ndarray:
    """Phase I on trains of ``leak``: V in units of 2^−frac_bits, int64."""
    membrane: np.ndarray | None = None
    for current in currents:
        added = current.astype(np.int64) << frac_bits
        membrane = added if membrane is None else leak.grow(membrane) + added
    assert membrane is not None
    return membrane


def fire(membrane: np.ndarray, neuron: InverseLeakyNeuron) -> np.ndarray:
    """Clamp and Phase II: the train (T2, …); ``membrane`` is left as it was."""
    reached = neuron.level.astype(np.int64)
    left = np.clip(membrane, 0, neuron.clamp.astype(np.int64))
    train = np.empty((neuron.timesteps, *membrane.shape), dtype=np.uint8)
    for spikes in train:
        fired = left >= reached
        left = neuron.leak.grow(left - fired * reached)
        spikes[...] = fired
    return train
