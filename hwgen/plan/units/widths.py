"""Widths: ranges of every current, membrane and constant, so that nothing can overflow.

All bounds are Python's integers (object arrays), which cannot overflow themselves.
"""

from __future__ import annotations

import numpy as np

from hwgen.network import FiringConstants, Integers, JoinedTrains, Layer, TrainType


def signed_width(low: int, high: int) -> int:
    """Bits of the two's complement number that holds ``low`` … ``high``."""
    return max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + 1


def current_width(layer: Layer) -> int:
    """Bits of the current of one timestep, and of its partial sums."""
    return _width_of(layer.current_range())


def constant_current_width(layer: Layer, source: TrainType) -> int:
    """Bits of the constant current of direct input, and of its partial sums."""
    low, high = layer.current_range()
    return _width_of((low * source.q_max, high * source.q_max))


def is_fractional(layer: Layer, source: TrainType) -> bool:
    """Whether membranes of ``layer`` grow by a factor below 2, so that they are rounded."""
    return source.leak.rounds or layer.neuron.leak.rounds


def firing_constants(layer: Layer, source: TrainType) -> FiringConstants:
    """Constants of the firing phase as the RTL adds them, per channel.

    A membrane that doubles in each step is stored as 2·V, so its constants are doubled too, and
    ``later`` is K = 2·D, which the pipeline adds or subtracts (non-restoring division). All other
    constants are the neuron's.
    """
    neuron = layer.neuron
    constants = neuron.firing_constants(layer.bias)
    if is_fractional(layer, source) or not stored_shift(layer, source):
        return constants
    first, _, restored = constants
    return FiringConstants(first=2 * first, later=2 * restored, restored=2 * restored)


def stored_shift(layer: Layer, source: TrainType) -> int:
    """1 where the firing phase stores 2·V, otherwise 0; a readout stores what it accumulated."""
    leak = source.leak if layer.neuron.is_decoder else layer.neuron.leak
    return int(leak.doubles)


def membrane_width(layer: Layer, joined: JoinedTrains) -> int:
    """Bits of a stored membrane, over all steps of both phases.

    The pipelines are those of :mod:`hwgen.rtl.neuron.membrane`,
    :mod:`hwgen.rtl.neuron.inverse_leak` and :mod:`hwgen.rtl.neuron.integrator`.
    """
    neuron, source = layer.neuron, joined.longest
    if not neuron.two_phase:
        low, high = layer.current_range()
        scale = source.q_max if source.constant_steps else 1
        bias = layer.bias.astype(object)
        return signed_width(*neuron.step_range(low * scale + bias, high * scale + bias))
    if is_fractional(layer, source):
        return _width_of(_fractional_membranes(layer, joined))
    return _width_of(_integer_membranes(layer, joined))


def _integer_membranes(layer: Layer, joined: JoinedTrains) -> list[Integers]:
    """Bounds of the membranes of a layer whose leaks are 1 or 2."""
    neuron, source = layer.neuron, joined.longest
    low, high = joined.accumulated_range(layer)
    bounds = [low, high]
    first, later, _ = firing_constants(layer, source)
    shift = neuron.frac_bits + stored_shift(layer, source)
    low, high = (low << shift) + first, (high << shift) + first
    if neuron.leak.doubles:
        # Membranes outside −2^(w−2) … 2^(w−2) − 1 stay as they are, so K must lie inside.
        return [*bounds, low, high, 2 * later + 1]
    steps = neuron.timesteps - 1
    return [*bounds, low + np.minimum(later, 0) * steps, high + np.maximum(later, 0) * steps]


def _fractional_membranes(layer: Layer, joined: JoinedTrains) -> list[Integers]:
    """Bounds of all numbers stored or added where a leak is below 2."""
    neuron, source, bits = layer.neuron, joined.longest, layer.neuron.frac_bits
    low, high = joined.accumulated_range(layer, bits if source.fractional else 0)
    bounds = [low, high]
    if not source.fractional:
        low, high = low << bits, high << bits
    first, later, level = firing_constants(layer, source)
    low, high = low + first, high + first
    bounds += [low, high + np.maximum(later, 0) * (neuron.timesteps - 1), first, later, level]
    if neuron.leak.n:
        # Membranes from 2^(w−2) on stay as they are: those that may stop firing must lie below.
        rest = np.minimum(np.maximum(high, level - 1), neuron.leak.balance(level) - 1)
        bounds.append(2 * rest + 1)
    return bounds


def _width_of(bounds: list[Integers] | tuple[Integers, ...]) -> int:
    return signed_width(
        min(int(side.min()) for side in bounds), max(int(side.max()) for side in bounds)
    )
