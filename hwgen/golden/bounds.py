"""Ranges proven from the weights: the arithmetic that is exact, and freedom from overflow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.errors import NetworkError
from hwgen.network import JoinedTrains, Layer, ThresholdNeuron

WORD_BITS = 62
FLOAT32_EXACT = 1 << 24  # every integer up to here is a float32
FLOAT64_EXACT = 1 << 53


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Largest magnitudes in a layer, over all channels and all inputs.

    Parameters
    ----------
    step : int
        Partial sums of the current in one timestep; for direct input, of W·x.
    product : int
        Partial sums of 2^f·(W·q_in).
    membrane : int
        Membranes, and everything that is added to them or compared with them.
    span : int
        Clamp of a two-phase neuron plus 1, (q_max + 1)·θ where k = 2; 0 for other neurons.
    """

    step: int
    product: int
    membrane: int
    span: int


def bound(layer: Layer, joined: JoinedTrains, *, where: str) -> Bounds:
    """Prove the bounds of ``layer``, whose projections bring the trains ``joined``.

    Raises :class:`.NetworkError` beyond 62 bits.
    """
    low, high = layer.current_range()
    step = _magnitude(low, high)
    bias = layer.bias.astype(object)  # Python's integers: the proof itself cannot overflow
    neuron, given = layer.neuron, joined.longest
    span = 0
    if neuron.two_phase:
        low, high = joined.accumulated_range(layer, neuron.frac_bits)
        product = _magnitude(low, high)
        membrane = max(product, _magnitude(low + bias, high + bias), _magnitude(bias))
        if isinstance(neuron, ThresholdNeuron):
            span = _magnitude(neuron.clamp) + 1
    else:
        step *= given.q_max if given.constant_steps else 1
        product = step
        ends = sum(_magnitude(values) for values in neuron.constants)
        membrane = (step + _magnitude(bias)) * neuron.timesteps + ends
    # V·n is computed before its shift.
    worst = max(product, membrane, span) << max(given.leak.m, neuron.leak.m)
    if worst >= 1 << WORD_BITS:
        raise NetworkError(
            f"{where}: a membrane may need {worst.bit_length() + 1} bits, but at most "
            f"{WORD_BITS + 1} are supported; use fewer threshold_frac_bits, timesteps or weight "
            f"bits"
        )
    return Bounds(step=step, product=product, membrane=membrane, span=span)


def exact_dtype(magnitude: int) -> np.dtype:
    """The fastest type in which sums of integers up to ``magnitude`` are exact."""
    if magnitude <= FLOAT32_EXACT:
        return np.dtype(np.float32)
    return np.dtype(np.float64 if magnitude <= FLOAT64_EXACT else np.int64)


def _magnitude(*arrays: np.ndarray) -> int:
    return max(int(abs(side)) for array in arrays for side in (array.min(), array.max()))
