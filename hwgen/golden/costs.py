"""Spikes, the work that they cause, exact at the borders of maps, and an estimate of power."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from hwgen.golden.bounds import exact_dtype
from hwgen.network import Code, Conv2d, Linear, Network, Projection, TrainType

SYNAPSE_ENERGY_J = 0.37e-12
"""α, joules per synapse and image: 0.37 pJ (Cruz-Albrecht et al.). Feedback thresholds, which cites
it, has "0.37 mJ" in print; the result of its Eq. 10 is that of 0.37 pJ."""

_BITS_SET = np.array([value.bit_count() for value in range(1 << 16)], dtype=np.uint8)


class Weighted(Protocol):
    """A projection of integers or of floats."""

    @property
    def weights(self) -> np.ndarray: ...


def multiply_adds(projections: Iterable[Weighted], shape: Sequence[int]) -> int:
    """Multiply-adds of a layer, whose map has ``shape``, in a CNN: Σ over the neurons of f_in.

    f_in are the inputs of one neuron, its synapses. Taps outside the map count, as they do in the
    CNN that the layer came from.
    """
    fan_in = sum(int(projection.weights[0].size) for projection in projections)
    return fan_in * math.prod(shape)


class Tally:
    """Counts, for one node, its spikes and the additions that they trigger in each consumer.

    A spike triggers one addition for each connection that it has (SpikeConverter, Eq. 14; ECC,
    Eq. 14): in a convolution the output channels of its group times the windows that it lies in,
    which are fewer at the borders and between strides. The spikes of a pad value trigger theirs.

    ``train_type`` is that of the node, ``consumers`` are the projections that read it.
    """

    def __init__(self, train_type: TrainType, consumers: list[Projection]) -> None:
        channels, height, width = train_type.shape
        fans = [_fan_out(projection, train_type) for projection in consumers]
        self._scales = np.array([1, *(scale for _, scale, _ in fans)], dtype=np.int64)
        self._offsets = np.array([0, *(offset for _, _, offset in fans)], dtype=np.int64)
        columns = [np.ones((height, width)), *(windows for windows, _, _ in fans)]
        by_pixel = np.stack([column.ravel() for column in columns], axis=1)
        worst = int(by_pixel.sum(axis=0).max()) * channels * train_type.timesteps
        self._by_pixel = by_pixel.astype(exact_dtype(worst))
        # Eight bytes are counted at once where the channels of a pixel fill such words.
        self._code = train_type.code
        items = 1 if train_type.q_max <= 0xFF else 2
        self._by_word = train_type.code is Code.RADIX and channels * items % 8 == 0
        repeat = channels * items // 8 if self._by_word else channels
        self._columns = np.repeat(self._by_pixel, repeat, axis=0)

    def of_values(self, values: np.ndarray) -> np.ndarray:
        """int64 (n, 1 + consumers): spikes, then synaptic operations by consumer.

        ``values`` have shape (n, height, width, channels).
        """
        if self._code is Code.RATE:
            counts = values
        elif self._code is Code.TTFS:
            counts = values > 0
        elif self._by_word:
            counts = _popcount(values.reshape(len(values), -1).view(np.uint64))
        else:
            counts = _BITS_SET[values]
        return self._sum(counts, self._columns)

    def of_train(self, train: np.ndarray) -> np.ndarray:
        """As :meth:`of_values`, from a train (T, n, height, width, channels)."""
        # First over time, in a small type: whole maps at once.
        counts = train.sum(axis=0, dtype=np.uint16)
        return self._sum(counts.sum(axis=-1, dtype=np.int64), self._by_pixel)

    def _sum(self, counts: np.ndarray, columns: np.ndarray) -> np.ndarray:
        flat = counts.reshape(len(counts), -1).astype(columns.dtype)
        sums: np.ndarray = (flat @ columns).astype(np.int64) * self._scales + self._offsets
        return sums


def _fan_out(projection: Projection, train_type: TrainType) -> tuple[np.ndarray, int, int]:
    """Windows that each pixel lies in, connections in each, additions for taps outside the map."""
    _, height, width = train_type.shape
    if not isinstance(projection, Conv2d):
        fan = projection.weights.shape[0] if isinstance(projection, Linear) else 1
        return np.ones((height, width)), fan, 0
    out, _, ky, kx = projection.weights.shape
    top, left, _, _ = projection.padding
    _, rows, columns = projection.output_shape(train_type.shape)
    by_row = _windows_along(height, rows, ky, projection.stride[0], top)
    by_column = _windows_along(width, columns, kx, projection.stride[1], left)
    fan = out // projection.groups
    outside = rows * columns * ky * kx - int(by_row.sum()) * int(by_column.sum())
    pad = projection.pad_value
    spikes = (
        0 if pad is None else int(train_type.code.encode_train(pad, train_type.timesteps).sum())
    )
    return np.outer(by_row, by_column), fan, outside * fan * spikes


def _windows_along(size: int, outputs: int, kernel: int, stride: int, before: int) -> np.ndarray:
    taps = np.arange(outputs)[:, None] * stride - before + np.arange(kernel)
    return np.bincount(taps[(taps >= 0) & (taps < size)], minlength=size)


def _popcount(words: np.ndarray) -> np.ndarray:
    """Set bits of each uint64 of (n, words)."""
    if hasattr(np, "bitwise_count"):  # NumPy 2
        return np.asarray(np.bitwise_count(words))
    parts = _BITS_SET[words.view(np.uint16)]
    return np.asarray(parts.reshape(*words.shape, 4).sum(axis=-1, dtype=np.uint8))


def synapse_count(network: Network) -> int:
    """Connections of all layers; those that share a weight count separately."""
    shapes = {name: train_type.shape for name, train_type in network.train_types.items()}
    return sum(multiply_adds(layer.projections, shapes[layer.name]) for layer in network.layers)


def power_estimate(
    synapses: float, images_per_second: float, *, synapse_energy_j: float = SYNAPSE_ENERGY_J
) -> float:
    """Watts: P = synapses · images per second · α (feedback thresholds, Eq. 9 – 10).

    It assumes that each synapse is used once per image and that nothing else takes power. With the
    synaptic operations per image (:class:`hwgen.golden.Result`) for ``synapses`` it becomes the
    estimate for the actual spikes, in all timesteps.

    ``synapses`` are those used per image, and ``synapse_energy_j`` is α in joules. Raises
    :class:`ValueError` where an argument is negative.
    """
    if min(synapses, images_per_second, synapse_energy_j) < 0:
        raise ValueError(
            f"synapses, images_per_second and synapse_energy_j must not be negative, but are "
            f"{synapses}, {images_per_second} and {synapse_energy_j}"
        )
    return synapses * images_per_second * synapse_energy_j
