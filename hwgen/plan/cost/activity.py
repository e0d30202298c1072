"""Number of spikes that each scanner finds in each chunk of each window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.units.geometry import StreamPlan, WindowPlan, WordLayout
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.synaptic_path import SynapticPathPlan
from hwgen.plan.units.window_buffers import pixel_bits


def stream_words(trains: NDArray[np.uint8], stream: StreamPlan) -> NDArray[np.uint8]:
    """Bits of a sample's words, shape (timesteps, rows, words per row, width).

    ``trains`` has the shape (timesteps, channels, height, width).
    """
    timesteps = len(trains)
    lines, words = trains.transpose(0, 2, 3, 1), stream.words_per_pixel
    if stream.layout == WordLayout.RASTER:
        lines, words = lines.reshape(timesteps, 1, 1, -1), stream.words_per_row
    width = words * stream.width
    padded = np.zeros((*lines.shape[:3], width), dtype=np.uint8)
    padded[..., : lines.shape[3]] = lines
    return padded.reshape(timesteps, stream.rows, -1, stream.width)


def window_costs(
    trains: NDArray[np.uint8], stream: StreamPlan, path: SynapticPathPlan
) -> NDArray[np.uint8]:
    """Spikes in each scanner's slice of each chunk; a masked chunk with spikes counts as 1.

    Shape (timesteps, out_rows, out_columns, rounds, chunks per window, scanners), with one round
    where all rounds read the same chunks.
    """
    window = path.window
    words = stream_words(trains, stream).reshape(window.timesteps, window.rows, window.columns, -1)
    bits = np.concatenate([words, np.zeros((*words.shape[:3], 1), dtype=np.uint8)], axis=3)
    pixels = bits[..., pixel_bits(window)]  # t, y, x, chunk, bit
    top, left, bottom, right = window.padding
    padded = np.zeros(
        (len(pixels), window.rows + top + bottom, window.columns + left + right, *pixels.shape[3:]),
        dtype=np.uint8,
    )
    if window.pad_planes:
        padded[:] = _pad_bits(window)[:, None, None]
    padded[:, top : top + window.rows, left : left + window.columns] = pixels
    if path.is_masked:
        whole = padded.max(axis=-1, keepdims=True)
        taps = _windows(whole, window.kernel, window)[..., 0]  # t, y, x, ky, kx, chunk
        taps = taps.reshape(*taps.shape[:3], -1, window.chunks)
        return np.ascontiguousarray(taps.swapaxes(3, 4)[..., None])
    if window.wide:
        padded, kernel = _rows_of_taps(padded, window), (window.kernel[0], 1)
    else:
        padded, kernel = _slices(padded, window), window.kernel
    found = _windows(padded, kernel, window)
    return found.reshape(*found.shape[:3], 1, window.window_chunks, window.scanners)


def scan_cycles(costs: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Cycles of a scanner for each window: one per spike, and one for an empty last chunk.

    Shape (timesteps, out_rows, out_columns, rounds, scanners).
    """
    return np.asarray(costs.sum(axis=4, dtype=np.int64) + (costs[..., -1, :] == 0))


def busy_cycles(costs: list[NDArray[np.uint8]], plan: LayerPlan) -> int:
    """Cycles of a layer's slowest scanner, over all windows and rounds of a sample.

    ``costs`` are :func:`window_costs` of each path. Waiting times are not included.
    """
    busiest = 0
    for cycles in map(scan_cycles, costs):
        rounds = plan.rounds // cycles.shape[3]
        busiest = max(busiest, int(np.max(cycles.sum(axis=(0, 1, 2, 3)))) * rounds)
    return busiest


def _pad_bits(window: WindowPlan) -> NDArray[np.uint8]:
    """Bits of a tap outside the map, shape (timesteps, chunks, pixel_width)."""
    bits = range(window.pixel_width)
    planes = [[[chunk >> n & 1 for n in bits] for chunk in row] for row in window.pad_planes]
    return np.array(planes, dtype=np.uint8)


def _rows_of_taps(padded: NDArray[np.uint8], window: WindowPlan) -> NDArray[np.uint8]:
    """Chunks of a wide window: the row of a kernel's pixels that starts at each column."""
    views = np.lib.stride_tricks.sliding_window_view(padded[:, :, :, 0], window.kernel[1], axis=2)
    chunks = views.swapaxes(3, 4).reshape(*views.shape[:3], 1, -1)
    return _slices(chunks, window)


def _slices(chunks: NDArray[np.uint8], window: WindowPlan) -> NDArray[np.uint8]:
    """Spikes of each scanner's slice; the last axis of ``chunks`` is a chunk's bits."""
    padded = np.concatenate([chunks, np.zeros((*chunks.shape[:-1], 1), dtype=np.uint8)], axis=-1)
    owned = padded[..., np.array(window.owned_bits)]
    return np.asarray(owned.sum(axis=-1, dtype=np.uint8))


def _windows(
    pixels: NDArray[np.uint8], kernel: tuple[int, int], window: WindowPlan
) -> NDArray[np.uint8]:
    """Taps of each output pixel: (t, y, x, …) → (t, out_rows, out_columns, ky, kx, …)."""
    views = np.lib.stride_tricks.sliding_window_view(pixels, kernel, axis=(1, 2))
    views = views[:, :: window.stride[0], :: window.stride[1]]
    views = views[:, : window.out_rows, : window.out_columns]
    return np.moveaxis(views, (-2, -1), (3, 4))
