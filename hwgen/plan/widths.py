"""Widths: the range of every current, membrane and constant, so that nothing can overflow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.network import (
    InverseLeakyNeuron,
    Layer,
    ReadOut,
    Signal,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)

Integers = NDArray[Any]


def signed_width(low: int, high: int) -> int:
    """Bits of the two's complement number that holds ``low`` … ``high``."""
    return max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + 1


def current_ranges(layer: Layer) -> tuple[Integers, Integers]:
    """Least and greatest current of each channel in one timestep: every weight fires or none.

    Python's integers, here and below: what proves that nothing can overflow cannot overflow.
    """
    low = np.zeros(layer.bias.shape[0], dtype=object)
    high = np.zeros_like(low)
    for projection in layer.projections:
        weights = projection.weights.astype(np.int64).reshape(low.size, -1)
        low += np.minimum(weights, 0).sum(axis=1).astype(object)
        high += np.maximum(weights, 0).sum(axis=1).astype(object)
    return low, high


def current_width(layer: Layer) -> int:
    low, high = current_ranges(layer)
    return signed_width(int(low.min()), int(high.max()))


def membrane_width(layer: Layer, given: Signal) -> int:
    """Bits of a stored membrane, over all steps of both phases (see :mod:`hwgen.rtl.membrane`)."""
    low, high = current_ranges(layer)
    neuron = layer.neuron
    bias = layer.bias.astype(object)
    if isinstance(neuron, SoftResetNeuron) and not neuron.two_phase:
        initial = 0 if neuron.initial is None else int(neuron.initial.max())
        drift_low = int(np.minimum(low + bias, 0).min()) * neuron.timesteps
        drift_high = int(np.maximum(high + bias, 0).max()) * neuron.timesteps + initial
        threshold = int(neuron.threshold.max())
        return signed_width(drift_low - threshold, max(drift_high, threshold))
    low, high = low * given.q_max, high * given.q_max
    width = signed_width(int(low.min()), int(high.max()))
    first, step = firing_constants(layer, given)
    scale = 1 << firing_shift(layer, given)
    low, high = low * scale + first, high * scale + first
    if isinstance(neuron, SoftResetNeuron):
        low = low + step * (neuron.timesteps - 1)
    elif isinstance(neuron, TimeToFirstSpikeNeuron):
        high = high + step * (neuron.timesteps - 1)
    elif not isinstance(neuron, ReadOut):
        # The firing stage holds a membrane that left −2^(w−2) … 2^(w−2) − 1: K must be inside.
        width = max(width, signed_width(0, int(step.max())) + 1)
    return max(width, signed_width(int(low.min()), int(high.max())))


def firing_shift(layer: Layer, given: Signal) -> int:
    """Places that the accumulated membrane moves left when the bias is added."""
    if isinstance(layer.neuron, ReadOut):
        return int(given.code == "radix")
    leak = int(isinstance(layer.neuron, InverseLeakyNeuron))
    return layer.neuron.threshold_frac_bits + leak


def firing_constants(
    layer: Layer, given: Signal
) -> tuple[Integers, Integers]:
    """The constants of the firing stage per channel: added in the first step, and in the others.

    radix     first 2·(B − D), others ±K with D = θ·2^(T2−1) and K = 2·D
    rate      first B − θ, others −θ
    ttfs      first B − T2·θ, others θ
    read-out  B, doubled where accumulation doubles
    """
    bias, neuron = layer.bias.astype(object), layer.neuron
    if isinstance(neuron, ReadOut):
        return bias << int(given.code == "radix"), np.zeros_like(bias)
    threshold = neuron.threshold.astype(object)
    if isinstance(neuron, SoftResetNeuron):
        return bias - threshold, -threshold
    if isinstance(neuron, TimeToFirstSpikeNeuron):
        return bias - neuron.timesteps * threshold, threshold
    step = threshold << neuron.timesteps
    return 2 * bias - step, step
