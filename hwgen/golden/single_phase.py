"""Single-phase neurons step by step, as the docstrings of :mod:`hwgen.network` write them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from hwgen.golden.bounds import FLOAT32_EXACT
from hwgen.network import IntegrateAndFireNeuron, Layer

INT64 = np.dtype(np.int64)


def membrane_dtype(magnitude: int) -> np.dtype[Any]:
    """The fastest type in which integers up to ``magnitude`` are exact."""
    if magnitude <= FLOAT32_EXACT:
        return np.dtype(np.float32)  # as the currents mostly are
    return np.dtype(np.int32) if magnitude < 1 << 31 else INT64


def integrate_and_fire(
    currents: Iterable[np.ndarray],
    layer: Layer,
    neuron: IntegrateAndFireNeuron,
    dtype: np.dtype[Any] = INT64,
) -> tuple[np.ndarray, np.ndarray]:
    """The train of a single-phase neuron, and the membranes that the last step leaves.

    Parameters
    ----------
    currents : arrays of integers in any type, shape (…, channels): I[t] of each step
    dtype : exact for every membrane and what is added to it (:func:`membrane_dtype`)

    Returns
    -------
    uint8 (T, …, channels), int64 (…, channels)
    """
    population: _Population | None = None
    train = []
    for current in currents:
        population = population or _Population(current.shape, layer, neuron, dtype)
        train.append(population.step(current))
    assert population is not None
    return np.stack(train), population.membrane.astype(np.int64).reshape(train[0].shape)


class _Population:
    """Membranes as rows (…, width·channels): inner loops that long run at full speed."""

    def __init__(
        self,
        shape: tuple[int, ...],
        layer: Layer,
        neuron: IntegrateAndFireNeuron,
        dtype: np.dtype[Any],
    ) -> None:
        width = shape[-2] if len(shape) > 1 else 1

        def row(values: np.ndarray) -> np.ndarray:
            return np.tile(values.astype(dtype), width)

        self._threshold, self._bias = row(neuron.threshold), row(layer.bias)
        self._floor = None if neuron.floor is None else row(neuron.floor)
        self._restarts = neuron.restart is not None
        # What a spike adds to the membrane, once a hard reset has cleared it.
        kick = -neuron.threshold if neuron.restart is None else neuron.restart
        self._kick = row(kick) if kick.any() else None
        rows = math.prod(shape) // len(self._threshold)
        self.membrane = np.zeros((rows, len(self._threshold)), dtype)
        if neuron.initial is not None:
            self.membrane += row(neuron.initial)
        self._kicks = np.empty_like(self.membrane)

    def step(self, current: np.ndarray) -> np.ndarray:
        """One timestep; which neurons fire, uint8 in the shape of ``current``."""
        membrane = self.membrane
        membrane += current.reshape(membrane.shape).astype(membrane.dtype, copy=False)
        membrane += self._bias
        if self._floor is not None:
            np.maximum(membrane, self._floor, out=membrane)
        fired = membrane >= self._threshold
        spikes = fired.view(np.uint8)
        if self._restarts:
            membrane[fired] = 0
        if self._kick is not None:
            np.copyto(self._kicks, spikes)
            self._kicks *= self._kick
            membrane += self._kicks
        return spikes.reshape(current.shape)
