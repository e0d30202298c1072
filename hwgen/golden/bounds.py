"""Ranges proven from the weights: which arithmetic is exact, and that nothing can overflow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.errors import NetworkError
from hwgen.network import (
    Decoder,
    InverseLeakyNeuron,
    Layer,
    Network,
    Readout,
    SinglePhase,
    SoftmaxReadout,
    TrainType,
    TwoPhase,
)

WORD_BITS = 62
FLOAT32_EXACT = 1 << 24  # every integer up to here is a float32
FLOAT64_EXACT = 1 << 53


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Largest magnitudes in a layer, over all channels and all inputs.

    Parameters
    ----------
    step : of a partial sum of the current in one timestep; of a direct input, of W·x
    product : of a partial sum of 2^f·(W·q_in)
    membrane : of a membrane, and of everything that is added to it or compared with it
    span : one more than the clamp of a two-phase neuron, (q_max + 1)·θ where k = 2; else 0
    """

    step: int
    product: int
    membrane: int
    span: int


def bound(network: Network, layer: Layer, given: TrainType) -> Bounds:
    """Prove the bounds of ``layer``, whose projections bring ``given``.

    A sum of integers, in whatever order a matrix product takes them, lies between the sum of its
    negative and the sum of its positive terms. Raises :class:`NetworkError` past 62 bits.
    """
    low, high = _current_range(layer)
    step = _magnitude(low, high)
    bias = layer.bias.astype(object)  # Python's integers: the proof itself cannot overflow
    neuron = layer.neuron
    span = 0
    if not neuron.two_phase:
        assert isinstance(neuron, SinglePhase | SoftmaxReadout)
        step *= given.q_max if given.held else 1
        product = step
        ends = [getattr(neuron, end, None) for end in ("threshold", "initial", "floor", "reset")]
        most = sum(_magnitude(end) for end in ends if end is not None)
        membrane = (step + _magnitude(bias)) * neuron.timesteps + most
    else:
        shift = fraction_bits(layer)
        if given.fractional:
            low, high = (_accumulated(side << shift, given) for side in (low, high))
        else:
            low, high = (side * (given.q_max << shift) for side in (low, high))
        product = _magnitude(low, high)
        membrane = max(product, _magnitude(low + bias, high + bias), _magnitude(bias))
        if not isinstance(neuron, Decoder):
            assert isinstance(neuron, TwoPhase)
            span = _span(neuron, given)
    # V·n is computed before its shift.
    leaks = [given.leak.m] if given.fractional else []
    leaks += [neuron.leak.m] if isinstance(neuron, InverseLeakyNeuron) else []
    worst = max(product, membrane, span) << max(leaks, default=0)
    if worst >= 1 << WORD_BITS:
        raise NetworkError(
            f"{network.name}.{layer.name}: a membrane may need {worst.bit_length() + 1} bits, but "
            f"{WORD_BITS + 1} are held; use fewer threshold_frac_bits, timesteps or weight bits"
        )
    return Bounds(step=step, product=product, membrane=membrane, span=span)


def fraction_bits(layer: Layer) -> int:
    """f of a two-phase layer."""
    neuron = layer.neuron
    return neuron.frac_bits if isinstance(neuron, Readout) else neuron.threshold_frac_bits


def _accumulated(current: np.ndarray, given: TrainType) -> np.ndarray:
    """V of neurons whose current is ``current`` in each step; L never falls, so none exceeds it."""
    total = current
    for _ in range(given.timesteps - 1):
        total = total + (total * given.leak.n >> given.leak.m) + current
    return total


def _span(neuron: TwoPhase, given: TrainType) -> int:
    most = _magnitude(neuron.threshold)
    if not isinstance(neuron, InverseLeakyNeuron) or neuron.leak.doubles:
        train_type = TrainType(shape=given.shape, code=neuron.code, timesteps=neuron.timesteps)
        return (train_type.q_max + 1) * most
    leak = neuron.leak
    for _ in range(neuron.timesteps - 1):
        most += most * leak.n >> leak.m
    return most - (-most << leak.m) // leak.n + 1


def exact_dtype(magnitude: int) -> np.dtype:
    """The fastest type in which sums of integers up to ``magnitude`` are exact."""
    if magnitude <= FLOAT32_EXACT:
        return np.dtype(np.float32)
    return np.dtype(np.float64 if magnitude <= FLOAT64_EXACT else np.int64)


def _current_range(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest current of each channel in one timestep, as Python's integers."""
    channels = layer.bias.size
    low, high = np.zeros(channels, dtype=np.int64), np.zeros(channels, dtype=np.int64)
    for projection in layer.projections:
        weights = projection.weights.reshape(channels, -1)
        low += np.minimum(weights, 0).sum(axis=1, dtype=np.int64)
        high += np.maximum(weights, 0).sum(axis=1, dtype=np.int64)
    return low.astype(object), high.astype(object)


def _magnitude(*arrays: np.ndarray) -> int:
    return max(int(abs(side)) for array in arrays for side in (array.min(), array.max()))
