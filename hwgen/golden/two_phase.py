"""Two-phase neurons step by step, as the docstrings of :mod:`hwgen.network` write them.

Trains have shape (T, n, height, width, channels), membranes int64 (n, height, width, channels).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from hwgen.golden import inverse_leak as leaky
from hwgen.network import (
    InverseLeakyNeuron,
    Layer,
    ThresholdNeuron,
    TimeToFirstSpikeNeuron,
    value_dtype,
)


def accumulate(currents: Iterable[np.ndarray], code: str) -> np.ndarray:
    """Phase I, by the code of what comes in (:mod:`hwgen.network.neuron`)."""
    membrane: np.ndarray | None = None
    slope: np.ndarray | None = None  # G of ttfs
    for current in currents:
        if membrane is None:
            membrane = current.astype(np.int64)
            slope = membrane.copy() if code == "ttfs" else None
            continue
        if slope is not None:
            np.add(slope, current, out=slope, casting="unsafe")
            membrane += slope
            continue
        if code == "radix":
            membrane += membrane
        np.add(membrane, current, out=membrane, casting="unsafe")
    assert membrane is not None
    return membrane


def close(membrane: np.ndarray, layer: Layer, *, fractional: bool = False) -> np.ndarray:
    """V ← V·2^f + B, in place: the membrane before the clamp, or the logits of a read-out.

    ``fractional`` membranes, of a leak k < 2, are in units of 2^−f already.
    """
    if not fractional and not layer.neuron.is_decoder:
        membrane <<= layer.neuron.frac_bits
    membrane += layer.bias
    return membrane


def fire(membrane: np.ndarray, neuron: ThresholdNeuron) -> np.ndarray:
    """Clamp and Phase II of a two-phase neuron: the train; ``membrane`` is left as it was."""
    if isinstance(neuron, InverseLeakyNeuron) and not neuron.leak.doubles:
        return leaky.fire(membrane, neuron)
    threshold = neuron.threshold.astype(np.int64)
    q_max = neuron.q_max
    left = np.clip(membrane, 0, q_max * threshold + threshold - 1)
    train = np.empty((neuron.timesteps, *membrane.shape), dtype=np.uint8)
    if isinstance(neuron, TimeToFirstSpikeNeuron):
        return _charge(left, threshold, train)
    radix = isinstance(neuron, InverseLeakyNeuron)
    level = threshold << (neuron.timesteps - 1) if radix else threshold
    for spikes in train:
        fired = left >= level
        left -= fired * level
        if radix:
            left += left
        spikes[...] = fired
    return train


def _charge(left: np.ndarray, threshold: np.ndarray, train: np.ndarray) -> np.ndarray:
    """The spiking stage of ttfs: a constant current until the first spike."""
    level = (len(train) + 1) * threshold
    silent = np.ones(left.shape, dtype=bool)
    for spikes in train:
        left += threshold
        fired = silent & (left >= level)
        silent &= ~fired
        spikes[...] = fired
    return train


class Quantiser:
    """The closed form q = clip(⌊(S + B) / θ⌋, 0, q_max) of a two-phase neuron, S = 2^f·(W·q_in).

    Floor division by multiplication. For x = S + B + 1/2, the quotient x/θ lies at least 1/(2θ)
    from every integer, and x is exact in the floating-point type. Two roundings (of 1/θ and of the
    product) move it by less than (q_max + 1)·2^(1−p) wherever it is below q_max + 1, p being the
    bits of the significand. So its floor is right where (q_max + 1)·θ < 2^(p−2); past either end
    of the range the clip takes it, since rounding is monotone. One bit more is left as margin.
    """

    def __init__(self, layer: Layer, neuron: ThresholdNeuron, *, magnitude: int, span: int) -> None:
        self.q_max = neuron.q_max
        self.out_dtype = value_dtype(self.q_max)
        self.dtype: np.dtype[Any]
        self._bias, self._threshold = layer.bias.astype(np.int64), neuron.threshold.astype(np.int64)
        if magnitude < 1 << 22 and span <= 1 << 21:
            self.dtype = np.dtype(np.float32)
        elif magnitude < 1 << 51 and span <= 1 << 50:
            self.dtype = np.dtype(np.float64)
        else:
            self.dtype = np.dtype(np.int64)

    def __call__(self, sums: np.ndarray, out: np.ndarray) -> None:
        """Quantise ``sums`` (n, height, width, channels), which is overwritten, into ``out``."""
        sums = sums.astype(self.dtype, copy=False)
        if self.dtype.kind == "i":
            sums += self._bias
            np.floor_divide(sums, self._threshold, out=sums)
            np.clip(sums, 0, self.q_max, out=sums)
            out[...] = sums
            return
        images, height, width, channels = sums.shape
        # A row of the map at once: the inner loop is then long enough to run at full speed.
        rows = sums.reshape(images * height, width * channels)
        rows += np.tile((self._bias + 0.5).astype(self.dtype), width)
        rows *= np.tile((1 / self._threshold).astype(self.dtype), width)
        np.clip(rows, 0, self.q_max, out=rows)
        np.copyto(out.reshape(rows.shape), rows, casting="unsafe")  # truncates: floor, as q ≥ 0
