"""Widths: the range of every current, membrane and constant, so that nothing can overflow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.network import (
    HardResetNeuron,
    IntegrateAndFireNeuron,
    InverseLeakyNeuron,
    Layer,
    Readout,
    SoftmaxReadout,
    SoftResetNeuron,
    ThresholdNeuron,
    TimeToFirstSpikeNeuron,
    TrainType,
)
from hwgen.plan.units import inverse_leak as fractional
from hwgen.plan.units.inverse_leak import is_fractional, membrane_range

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


def constant_current_width(layer: Layer, given: TrainType) -> int:
    """Bits of the constant current of direct input, and of its partial sums."""
    low, high = current_ranges(layer)
    return signed_width(int(low.min()) * given.q_max, int(high.max()) * given.q_max)


def membrane_width(layer: Layer, given: TrainType) -> int:
    """Bits of a stored membrane, over all steps of both phases (see
    :mod:`hwgen.rtl.neuron.membrane`)."""
    low, high = current_ranges(layer)
    neuron = layer.neuron
    bias = layer.bias.astype(object)
    if isinstance(neuron, SoftmaxReadout):
        low, high = low + bias, high + bias
        ends = [*low, *high, *(low * neuron.timesteps), *(high * neuron.timesteps)]
        return signed_width(int(min(ends)), int(max(ends)))
    if not neuron.two_phase:
        assert isinstance(neuron, IntegrateAndFireNeuron)
        if given.constant_steps:
            low, high = low * given.q_max, high * given.q_max
        return _single_phase_width(neuron, low + bias, high + bias)
    if is_fractional(layer, given):
        numbers = membrane_range(layer, given, (low, high))
        return signed_width(min(numbers), max(numbers))
    low, high = low * given.q_max, high * given.q_max
    width = signed_width(int(low.min()), int(high.max()))
    first, step = firing_constants(layer, given)
    scale = 1 << firing_shift(layer, given)
    low, high = low * scale + first, high * scale + first
    if isinstance(neuron, SoftResetNeuron):
        low = low + step * (neuron.timesteps - 1)
    elif isinstance(neuron, TimeToFirstSpikeNeuron):
        high = high + step * (neuron.timesteps - 1)
    elif not isinstance(neuron, Readout):
        # The firing stage holds a membrane that left −2^(w−2) … 2^(w−2) − 1: K must be inside.
        width = max(width, signed_width(0, int(step.max())) + 1)
    return max(width, signed_width(int(low.min()), int(high.max())))


def _single_phase_width(neuron: IntegrateAndFireNeuron, low: Integers, high: Integers) -> int:
    """``low`` and ``high`` are the least and the greatest that a step adds to each channel."""
    steps = neuron.timesteps
    threshold = neuron.threshold.astype(object)
    none = np.zeros_like(threshold)
    initial = none if neuron.initial is None else neuron.initial.astype(object)
    reset = getattr(neuron, "reset", None)
    resets = none if reset is None else reset.astype(object)
    lowest = np.minimum(none, resets) + np.minimum(low, 0) * steps
    if neuron.floor is not None:  # a step below it, the membrane is lifted
        floor = neuron.floor.astype(object)
        lowest = np.maximum(lowest, floor + np.minimum(low, 0))
    highest = initial + np.maximum(high, 0) * steps
    if isinstance(neuron, HardResetNeuron):
        before = np.maximum(np.maximum(initial, resets), threshold - 1)
        highest = np.minimum(highest + np.maximum(resets, 0), before + np.maximum(high, 0))
    most = int(threshold.max())
    return signed_width(int(lowest.min()) - most, max(int(highest.max()), most))


def firing_shift(layer: Layer, given: TrainType) -> int:
    """Places that the accumulated membrane moves left when the bias is added."""
    if isinstance(layer.neuron, Readout):
        return int(given.code == "radix")
    leak = int(isinstance(layer.neuron, InverseLeakyNeuron))
    return layer.neuron.frac_bits + leak


def firing_constants(layer: Layer, given: TrainType) -> tuple[Integers, Integers]:
    """The constants of the firing stage per channel: added in the first step, and in the others.

    radix     first 2·(B − D), others ±K with D = θ·2^(T2−1) and K = 2·D
    rate      first B − θ, others −θ
    ttfs      first B − T2·θ, others θ
    read-out  B, doubled where accumulation doubles

    Layers with a leak k < 2 have those of :mod:`hwgen.plan.units.inverse_leak`.
    """
    if is_fractional(layer, given):
        return fractional.firing_constants(layer)
    bias, neuron = layer.bias.astype(object), layer.neuron
    if isinstance(neuron, Readout):
        return bias << int(given.code == "radix"), np.zeros_like(bias)
    assert isinstance(neuron, ThresholdNeuron)
    threshold = neuron.threshold.astype(object)
    if isinstance(neuron, SoftResetNeuron):
        return bias - threshold, -threshold
    if isinstance(neuron, TimeToFirstSpikeNeuron):
        return bias - neuron.timesteps * threshold, threshold
    step = threshold << neuron.timesteps
    return 2 * bias - step, step
