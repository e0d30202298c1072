"""Widths and constants of layers with a leak k < 2 on either side
(:mod:`hwgen.rtl.neuron.inverse_leak`).

Python's integers, as in :mod:`hwgen.plan.units.widths`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.network import (
    InverseLeak,
    InverseLeakyNeuron,
    Layer,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
    TrainType,
)

Integers = NDArray[Any]


def signed_digits(number: int) -> list[tuple[int, int]]:
    """(place, sign) of the digits ±1 of ``number``, lowest first, no two side by side.

    There are no fewer: a product with it takes one addition less than they are.
    """
    digits, place = [], 0
    while number:
        if number % 2:
            sign = 2 - number % 4
            digits.append((place, sign))
            number -= sign
        number //= 2
        place += 1
    return digits


def is_fractional(layer: Layer, given: TrainType) -> bool:
    """Whether the trains that come in, or those that go out, have a leak k < 2."""
    neuron = layer.neuron
    return given.fractional or isinstance(neuron, InverseLeakyNeuron) and not neuron.leak.doubles


def grow(value: Any, leak: InverseLeak) -> Any:
    """L(V) = V + ⌊V·n/2^m⌋ of Python's integers, one or an array of them."""
    return value + (value * leak.n >> leak.m)


def fraction_bits(layer: Layer) -> int:
    """f of a two-phase layer."""
    return layer.neuron.frac_bits


def firing_level(neuron: InverseLeakyNeuron) -> Integers:
    """D of each channel: θ after T2 − 1 leaks."""
    reached = neuron.threshold.astype(object)
    for _ in range(neuron.timesteps - 1):
        reached = grow(reached, neuron.leak)
    return reached


def restored(layer: Layer) -> Integers:
    """What a step without a spike gives back: the level that it was compared with, or nothing."""
    neuron = layer.neuron
    if isinstance(neuron, InverseLeakyNeuron):
        return firing_level(neuron)
    if isinstance(neuron, SoftResetNeuron):
        return neuron.threshold.astype(object)
    return np.zeros(layer.bias.size, dtype=object)


def firing_constants(layer: Layer) -> tuple[Integers, Integers]:
    """What firing adds per channel: in the first step, and in the others.

    radix     B − D, −D
    rate      B − θ, −θ
    ttfs      B − T2·θ, θ
    read-out  B, 0
    """
    bias, neuron, level = layer.bias.astype(object), layer.neuron, restored(layer)
    if isinstance(neuron, TimeToFirstSpikeNeuron):
        threshold = neuron.threshold.astype(object)
        return bias - neuron.timesteps * threshold, threshold
    return bias - level, -level


def membrane_range(layer: Layer, given: TrainType, current: tuple[Integers, Integers]) -> list[int]:
    """Numbers between whose least and greatest all stored and added ones lie.

    ``current`` are the least and the greatest of each channel in one timestep.
    """
    neuron = layer.neuron
    low, high = (_accumulate(side, layer, given) for side in current)
    reached = [low, high]
    if not given.fractional:
        low, high = (side << fraction_bits(layer) for side in (low, high))
    first, others = firing_constants(layer)
    reached += [low + first, high + first, first, others, restored(layer)]
    if isinstance(neuron, TimeToFirstSpikeNeuron):
        reached.append(high + first + others * (neuron.timesteps - 1))
    if isinstance(neuron, InverseLeakyNeuron):
        # A membrane R from 2^(w−2) on is held: those that may stop firing must stay below it.
        level, leak = firing_level(neuron), neuron.leak
        steady = -(-(level << leak.m) // leak.n)
        rest = np.maximum(high + layer.bias.astype(object) - level, level - 1)
        reached.append(2 * np.minimum(rest, steady - 1) + 1)
    return [int(bound) for side in reached for bound in (side.min(), side.max())]


def _accumulate(current: Integers, layer: Layer, given: TrainType) -> Integers:
    """V after Phase I with ``current`` in every step; the partial sums lie between it and 0."""
    if not given.fractional:
        return current * given.q_max
    added = current << fraction_bits(layer)
    total = added
    for _ in range(given.timesteps - 1):
        total = grow(total, given.leak) + added
    return total
