"""Weight memories: which weight stands in which row, in the order in which spikes arrive."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwgen.network import Conv2d, Identity, Layer, Linear
from hwgen.plan.geometry import StreamPlan
from hwgen.plan.hardware import LayerPlan


def dense_kernel(layer: Layer, channels: int) -> NDArray[np.int64]:
    """The layer's weights as (fan_out, channels, ky, kx); absent connections are 0."""
    (projection,) = layer.projections
    match projection:
        case Linear():
            return projection.weights.astype(np.int64)[:, :, None, None]
        case Identity():
            return np.diag(projection.weights.astype(np.int64))[:, :, None, None]
        case Conv2d():
            out, fan, ky, kx = projection.weights.shape
            if projection.groups == 1:
                return projection.weights.astype(np.int64)
            dense = np.zeros((out, channels, ky, kx), dtype=np.int64)
            for group in range(projection.groups):
                size = out // projection.groups
                outs = slice(group * size, (group + 1) * size)
                dense[outs, group * fan : (group + 1) * fan] = projection.weights[outs]
            return dense


def feature_order(stream: StreamPlan) -> NDArray[np.int64]:
    """PyTorch's flattened index of each bit of a plane's words; −1 for unused bits."""
    channels, height, width = stream.shape
    index = np.arange(channels * height * width).reshape(stream.shape).transpose(1, 2, 0)
    if stream.layout == "raster":
        order = np.full(stream.words_per_plane * stream.width, -1)
        order[: index.size] = index.reshape(-1)
        return order
    padded = np.full((height, width, stream.words_per_pixel * stream.width), -1)
    padded[:, :, :channels] = index
    return padded.reshape(-1)


def pack_weights(layer: Layer, plan: LayerPlan, source: StreamPlan) -> NDArray[np.int64]:
    """Rows of each scanner's memory, shape (scanners, weight_depth, lanes).

    Row ((g·ky + y)·kx + x)·chunks·slice + c·slice + b holds the weights from bit b of the
    scanner's slice of chunk c at tap (y, x) to the output channels g·lanes … of fold g.
    """
    window = plan.window
    flattened = isinstance(layer.projections[0], Linear)
    kernel = dense_kernel(layer, source.shape[0])
    if flattened:
        order = feature_order(source)
    else:
        order = np.arange(window.words * window.word_width)
        order[order >= source.shape[0]] = -1
    flat = np.full(window.chunks * window.chunk_width, -1)
    flat[: order.size] = order
    slices = np.full((window.chunks, window.scanners * window.slice_width), -1)
    slices[:, : window.chunk_width] = flat.reshape(window.chunks, window.chunk_width)
    owned = slices.reshape(window.chunks, window.scanners, window.slice_width)

    fan_out, _, ky, kx = kernel.shape
    padded = np.zeros((plan.fold * plan.lanes, kernel.shape[1] + 1, ky, kx), dtype=np.int64)
    padded[:fan_out, :-1] = kernel  # index −1 reads the zeros
    rows = padded[:, owned]  # (outs, chunks, scanners, slice, ky, kx)
    rows = rows.reshape(plan.fold, plan.lanes, *rows.shape[1:])
    rows = rows.transpose(3, 0, 5, 6, 2, 4, 1)  # scanner, fold, ky, kx, chunk, bit, lane
    return np.ascontiguousarray(rows.reshape(window.scanners, plan.weight_depth, plan.lanes))
