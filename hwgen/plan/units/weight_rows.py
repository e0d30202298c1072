"""Rows of the weight memories, in the order in which spikes arrive."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwgen.network import Conv2d, Identity, Linear, Projection, stored_weights
from hwgen.plan.units.geometry import StreamPlan, WindowPlan, WordLayout
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.synaptic_path import SynapticPathPlan
from hwgen.plan.units.window_buffers import pixel_bits


def dense_weights(projection: Projection, channels: int) -> NDArray[np.int64]:
    """Weights of every input for every output, shape (fan_out, inputs); 0 without a connection.

    Inputs are the features of a linear projection, or (channel, ky, kx) of a kernel.
    """
    weights = projection.weights.astype(np.int64)
    match projection:
        case Linear():
            return weights
        case Identity():
            return np.diag(weights)
        case Conv2d():
            out, fan, ky, kx = weights.shape
            dense = np.zeros((out, channels, ky, kx), dtype=np.int64)
            size = out // projection.groups
            for group in range(projection.groups):
                outs = slice(group * size, (group + 1) * size)
                dense[outs, group * fan : (group + 1) * fan] = weights[outs]
            return dense.reshape(out, -1)


def read_inputs(
    projection: Projection, window: WindowPlan, source: StreamPlan
) -> NDArray[np.int64]:
    """Input of :func:`dense_weights` at each bit of each chunk of a window, −1 for none.

    Shape (kernel rows, chunks of a kernel row, chunk_width).
    """
    channels, height, width = source.shape
    order = pixel_bits(window)
    kernel_y, kernel_x = window.kernel
    if isinstance(projection, Linear):
        # A pixel is a row of the map; its words hold channels of a pixel, or raster values.
        features = np.arange(channels * height * width).reshape(source.shape).transpose(1, 2, 0)
        size = window.words * window.word_width
        if source.layout == WordLayout.RASTER:
            rows = _filled(features.reshape(1, -1), size)
        else:
            pixels = _filled(features, source.words_per_pixel * source.width)
            rows = pixels.reshape(height, -1)
        padded = np.concatenate([rows, np.full((len(rows), 1), -1)], axis=1)
        return padded[:, order]
    channel = np.where(order < channels, order, -1)
    taps = np.arange(kernel_y * kernel_x).reshape(kernel_y, kernel_x, 1, 1)
    inputs = np.where(channel < 0, -1, channel * (kernel_y * kernel_x) + taps)
    return inputs.reshape(kernel_y, window.kernel_row_chunks, window.chunk_width)


def _filled(rows: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """``rows`` extended with −1 to ``size``."""
    filled = np.full((*rows.shape[:-1], size), -1)
    filled[..., : rows.shape[-1]] = rows
    return filled


def pack_weights(
    projection: Projection, path: SynapticPathPlan, plan: LayerPlan, source: StreamPlan
) -> NDArray[np.int64]:
    """Rows of each scanner's memory, shape (scanners, weight_depth, lanes).

    Row ((g·ky + y)·kernel_row_chunks + r)·slice_width + b holds the weights of bit b of the
    scanner's slice of chunk r of kernel row y, for the output channels g·lanes … of round g. Row
    (g·ky + y)·kx + x of a masked path holds the weight of each of these channels at tap (y, x).
    Where taps share their weights, only the first tap of each tile counts, in y and in x.
    """
    window = path.window
    if path.is_masked:
        return _masked_rows(projection, path, plan)
    dense = dense_weights(projection, source.shape[0])
    outs = np.zeros((plan.rounds * plan.lanes, dense.shape[1] + 1), dtype=np.int64)
    outs[: plan.fan_out, :-1] = dense  # input −1 reads the zeros
    inputs = read_inputs(projection, window, source)
    if path.tile != (1, 1):
        ty, tx = path.tile
        taps = inputs.reshape(len(inputs), -1, window.chunks, window.chunk_width)[::ty, ::tx]
        inputs = taps.reshape(len(taps), -1, window.chunk_width)
    padded = np.concatenate([inputs, np.full((*inputs.shape[:2], 1), -1)], axis=2)
    owned = padded[:, :, np.array(window.owned_bits)]  # (ky, chunk, scanner, bit)
    rows = outs[:, owned].reshape(plan.rounds, plan.lanes, *owned.shape)
    rows = rows.transpose(4, 0, 2, 3, 5, 1)  # scanner, round, ky, chunk, bit, lane
    return np.ascontiguousarray(rows.reshape(window.scanners, path.weight_depth, plan.lanes))


def _masked_rows(
    projection: Projection, path: SynapticPathPlan, plan: LayerPlan
) -> NDArray[np.int64]:
    taps = stored_weights(projection.weights).reshape(plan.fan_out, -1).astype(np.int64)
    outs = np.zeros((plan.rounds * plan.lanes, taps.shape[1]), dtype=np.int64)
    outs[: plan.fan_out] = taps
    rows = outs.reshape(plan.rounds, plan.lanes, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(rows.reshape(1, path.weight_depth, plan.lanes))
