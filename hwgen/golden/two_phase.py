"""Two-phase neurons step by step, as the docstrings of :mod:`hwgen.network` define them.

Trains have shape (T, n, height, width, channels), membranes int64 (n, height, width, channels).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

import numpy as np

from hwgen.network import (
    DOUBLE,
    Code,
    InverseLeak,
    Layer,
    Neuron,
    ThresholdNeuron,
    TimeToFirstSpikeNeuron,
)


def accumulate(
    currents: Iterable[np.ndarray], code: str, leak: InverseLeak = DOUBLE, frac_bits: int = 0
) -> np.ndarray:
    """Phase I, by the code of the input (:mod:`hwgen.network.neuron`).

    ``leak`` is that of a radix train's sender. Membranes of a leak k < 2 have units of
    2^−``frac_bits``; all others ignore it.
    """
    shift = frac_bits if leak.rounds else 0
    membrane: np.ndarray | None = None
    slope: np.ndarray | None = None  # G of ttfs
    for current in currents:
        added = current.astype(np.int64) << shift
        if membrane is None:
            membrane = added
            slope = added.copy() if code == Code.TTFS else None
        elif slope is not None:
            slope += added
            membrane += slope
        elif code == Code.RADIX:
            membrane = leak.grow(membrane) + added
        else:
            membrane += added
    assert membrane is not None
    return membrane


def close(membrane: np.ndarray, layer: Layer, *, fractional: bool = False) -> np.ndarray:
    """V ← V·2^f + B, in place: the membrane before the clamp, or the logits of a readout.

    ``fractional`` membranes, of a leak k < 2, are in units of 2^−f already.
    """
    if not fractional:
        membrane <<= layer.neuron.frac_bits
    membrane += layer.bias
    return membrane


def fire(membrane: np.ndarray, neuron: Neuron) -> np.ndarray:
    """Clamp and Phase II: the train, uint8 (T2, …); ``membrane`` is left as it was."""
    return _fire(neuron, membrane)


@singledispatch
def _fire(neuron: Neuron, membrane: np.ndarray) -> np.ndarray:
    raise NotImplementedError(f"{type(neuron).__name__} has no firing phase")


@_fire.register
def _subtract(neuron: ThresholdNeuron, membrane: np.ndarray) -> np.ndarray:
    """y = V ≥ D;  V ← L(V − y·D): inverse-leaky neurons, and soft resets, which do not leak."""
    level = neuron.level.astype(np.int64)
    left = np.clip(membrane, 0, neuron.clamp.astype(np.int64))
    train = np.empty((neuron.timesteps, *membrane.shape), dtype=np.uint8)
    for spikes in train:
        fired = left >= level
        left = neuron.leak.grow(left - fired * level)
        spikes[...] = fired
    return train


@_fire.register
def _charge(neuron: TimeToFirstSpikeNeuron, membrane: np.ndarray) -> np.ndarray:
    """The spiking stage of ttfs."""
    left = np.clip(membrane, 0, neuron.clamp.astype(np.int64))
    return first_spikes(left, neuron.threshold.astype(np.int64), neuron.timesteps)


def first_spikes(charge: np.ndarray, current: np.ndarray | np.int64, timesteps: int) -> np.ndarray:
    """Train of a constant ``current``: the first spike where (T + 1)·current is reached."""
    level = (timesteps + 1) * current
    silent = np.ones(charge.shape, dtype=bool)
    train = np.empty((timesteps, *charge.shape), dtype=np.uint8)
    for spikes in train:
        charge = charge + current
        fired = silent & (charge >= level)
        silent &= ~fired
        spikes[...] = fired
    return train
