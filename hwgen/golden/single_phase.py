"""Single-phase neurons and the spiking softmax step by step (:mod:`hwgen.network`)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import singledispatch
from typing import Any

import numpy as np

from hwgen.golden.bounds import FLOAT32_EXACT
from hwgen.golden.draws import read_draws, register_states
from hwgen.network import IntegrateAndFireNeuron, Layer, Neuron, SoftmaxReadout

INT64 = np.dtype(np.int64)


def membrane_dtype(magnitude: int) -> np.dtype[Any]:
    """The fastest type in which integers up to ``magnitude`` are exact."""
    if magnitude <= FLOAT32_EXACT:
        return np.dtype(np.float32)  # most currents have it too
    return np.dtype(np.int32) if magnitude < 1 << 31 else INT64


def integrate(
    currents: Iterable[np.ndarray], layer: Layer, dtype: np.dtype[Any] = INT64
) -> tuple[np.ndarray, np.ndarray]:
    """The train of a single-phase layer, and the membranes after the last step.

    uint8 (T, …, channels) and int64 (…, channels), from I[t] of each step, integers of any type and
    shape (…, channels). ``dtype`` is exact for every membrane and all that is added to it
    (:func:`membrane_dtype`).
    """
    return _integrate(layer.neuron, layer, currents, dtype)


@singledispatch
def _integrate(
    neuron: Neuron, layer: Layer, currents: Iterable[np.ndarray], dtype: np.dtype[Any]
) -> tuple[np.ndarray, np.ndarray]:
    raise NotImplementedError(f"{type(neuron).__name__} does not fire as it integrates")


@_integrate.register
def _(
    neuron: IntegrateAndFireNeuron,
    layer: Layer,
    currents: Iterable[np.ndarray],
    dtype: np.dtype[Any],
) -> tuple[np.ndarray, np.ndarray]:
    population: _Population | None = None
    train = []
    for current in currents:
        population = population or _Population(current.shape, layer, neuron, dtype)
        train.append(population.step(current))
    assert population is not None
    return np.stack(train), population.membrane.astype(np.int64).reshape(train[0].shape)


@_integrate.register
def _draw_spikes(
    neuron: SoftmaxReadout, layer: Layer, currents: Iterable[np.ndarray], _: np.dtype[Any]
) -> tuple[np.ndarray, np.ndarray]:
    """The train of the classes, and the membranes after the last step."""
    membrane: np.ndarray | None = None
    train = []
    for current, numbers in zip(currents, softmax_draws(neuron, layer.bias.size), strict=True):
        if membrane is None:
            membrane = np.zeros(current.shape, dtype=np.int64)
        np.add(membrane, current, out=membrane, casting="unsafe")
        membrane += layer.bias
        train.append(softmax_spikes(membrane, numbers, neuron).astype(np.uint8))
    assert membrane is not None
    return np.stack(train), membrane


def softmax_spikes(membrane: np.ndarray, draws: np.ndarray, neuron: SoftmaxReadout) -> np.ndarray:
    """Spikes of the classes, the last axis of ``membrane``, for the numbers of one timestep."""
    below = membrane.max(axis=-1, keepdims=True) - membrane
    table = neuron.table.astype(np.int64)
    entries = table[np.minimum(below >> neuron.shift, len(table) - 1)]
    spikes: np.ndarray = draws * entries.sum(axis=-1, keepdims=True) < (
        entries << neuron.random_bits
    )
    return spikes


def softmax_draws(neuron: SoftmaxReadout, classes: int) -> np.ndarray:
    """r of each timestep and class, int64 (T, classes)."""
    starts = register_states(neuron.seed, classes * neuron.random_bits, neuron.timesteps)
    return read_draws(starts, classes, neuron.random_bits)


class _Population:
    """Membranes as rows (…, width·channels), since long inner loops run at full speed."""

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
        """Spikes of one timestep, uint8 in the shape of ``current``."""
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
