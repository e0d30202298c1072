"""How many spikes each scanner finds in each chunk of each window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.geometry import StreamPlan, WindowPlan
from hwgen.plan.hardware import LayerPlan


def stream_words(trains: NDArray[np.uint8], stream: StreamPlan) -> NDArray[np.uint8]:
    """Bits of a sample's words, shape (timesteps, words_per_plane, width).

    ``trains`` has the shape (timesteps, channels, height, width).
    """
    timesteps = len(trains)
    pixels = trains.transpose(0, 2, 3, 1)
    if stream.layout == "raster":
        flat = pixels.reshape(timesteps, -1)
        padded = np.zeros((timesteps, stream.words_per_plane * stream.width), dtype=np.uint8)
        padded[:, : flat.shape[1]] = flat
    else:
        padded = np.zeros(
            (*pixels.shape[:3], stream.words_per_pixel * stream.width), dtype=np.uint8
        )
        padded[..., : pixels.shape[3]] = pixels
    return padded.reshape(timesteps, -1, stream.width)


def window_costs(
    trains: NDArray[np.uint8], stream: StreamPlan, window: WindowPlan
) -> NDArray[np.int64]:
    """Cycles that a scanner takes for each chunk: its spikes, and 1 where there are none.

    Shape (timesteps, out_rows, out_columns, chunks of a window, scanners).
    """
    words = stream_words(trains, stream).reshape(
        window.timesteps, window.rows, window.columns, window.words, window.word_width
    )
    chunk_words = np.zeros(
        (*words.shape[:3], window.chunks * window.pack, window.word_width), dtype=np.uint8
    )
    chunk_words[:, :, :, : window.words] = words
    counts = _slice_counts(chunk_words.reshape(*words.shape[:3], window.chunks, -1), window)
    top, left, bottom, right = window.padding
    padded = np.zeros(
        (
            window.timesteps,
            window.rows + top + bottom,
            window.columns + left + right,
            window.chunks,
            window.scanners,
        ),
        dtype=np.int64,
    )
    if window.pad_planes:
        bits = np.array(
            [
                [[chunk >> n & 1 for n in range(window.chunk_width)] for chunk in plane]
                for plane in window.pad_planes
            ],
            dtype=np.uint8,
        )
        padded[:] = _slice_counts(bits, window)[:, None, None]
    padded[:, top : top + window.rows, left : left + window.columns] = counts
    views = np.lib.stride_tricks.sliding_window_view(padded, window.kernel, axis=(1, 2))
    views = views[:, :: window.stride[0], :: window.stride[1]]
    taps = views.transpose(0, 1, 2, 5, 6, 3, 4)  # t, y, x, ky, kx, chunk, scanner
    costs: NDArray[np.int64] = taps.reshape(*taps.shape[:3], -1, window.scanners)
    return np.maximum(costs, 1)


def _slice_counts(bits: NDArray[np.uint8], window: WindowPlan) -> NDArray[np.int64]:
    """Set bits of each scanner's slice; the last axis of ``bits`` is a chunk's."""
    sliced = np.zeros((*bits.shape[:-1], window.scanners * window.slice_width), dtype=np.uint8)
    sliced[..., : bits.shape[-1]] = bits
    sliced = sliced.reshape(*bits.shape[:-1], window.scanners, window.slice_width)
    counts: NDArray[np.int64] = sliced.sum(axis=-1, dtype=np.int64)
    return counts


def busy_cycles(costs: NDArray[np.int64], plan: LayerPlan) -> int:
    """Cycles of a layer's slowest scanner in each window, over all windows and folds."""
    return int(costs.sum(axis=3).max(axis=-1).sum()) * plan.fold
