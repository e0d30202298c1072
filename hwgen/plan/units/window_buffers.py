"""Window buffers of projections: geometry, packing of words, and pad values."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hwgen.network import Conv2d, Identity, Linear, Projection, TrainType, equal_taps
from hwgen.plan.units.geometry import StreamPlan, WindowPlan, WordLayout
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan
from hwgen.plan.units.widths import signed_width

MAX_SLICE_WIDTH = 32
"""Maximum bits that a scanner searches per cycle; wider slices lower the clock."""
BUSY_SLICE_WIDTH = 8
"""A narrower slice holds about one spike or none, so that reading it takes as long as scanning."""


def plan_path(
    projection: Projection,
    source: StreamPlan,
    source_type: TrainType,
    *,
    fan_out: int,
    lanes: int,
    scanners: int,
) -> SynapticPathPlan:
    """Sizes of one projection's synaptic path.

    A linear projection reads a map like a convolution whose kernel is the whole map and whose
    pixels are the map's rows, so the window buffer reassembles the map in either schedule.
    """
    conv = projection if isinstance(projection, Conv2d) else None
    flat = isinstance(projection, Linear)
    words = source.words_per_row if flat else source.words_per_pixel
    rounds = ceil(fan_out / lanes)
    masked = _is_masked(projection, source_type) and _fits_lanes(source, words, lanes)
    if masked:
        scanners, pack = 1, lanes // source.width
    else:
        scanners = min(scanners, source.width * words)
        pack = max(1, min(words, MAX_SLICE_WIDTH * scanners // source.width))
        scanners = min(scanners, pack * source.width)
    ky, kx = conv.weights.shape[2:] if conv else (source.rows if flat else 1, 1)
    window = WindowPlan(
        word_width=source.width,
        timesteps=source_type.timesteps,
        rows=source.rows if flat else source_type.shape[1],
        columns=1 if flat else source_type.shape[2],
        words=words,
        pack=pack,
        kernel=(ky, kx),
        stride=conv.stride if conv else (1, 1),
        padding=conv.padding if conv else (0, 0, 0, 0),
        rounds=rounds,
        scanners=scanners,
        slots=1,
        schedule=source.schedule,
        depthwise=masked,
    )
    window = replace(window, slots=usual_slots(window))
    tile = equal_taps(conv.weights) if conv else (1, 1)
    pad = conv.pad_value if conv and any(conv.padding) else None
    if pad is not None and pad.any():
        window = replace(window, pad_planes=pad_planes(pad, source_type, window))
    if not masked and tile == (1, 1) and _is_narrow(window):
        window = replace(window, wide=True)
    return SynapticPathPlan(
        source=source.node,
        kind=PathKind.MASKED if masked else PathKind.SPIKES,
        window=window,
        tile=tile,
        weight_bits=signed_width(
            min(0, int(projection.weights.min())), max(0, int(projection.weights.max()))
        ),
        weight_share=_weight_share(projection, source_type, masked=masked),
    )


def _weight_share(projection: Projection, source_type: TrainType, *, masked: bool) -> float:
    """Share of the stored weights that are not zero; those of absent connections are."""
    stored = projection.weights.size
    if isinstance(projection, Conv2d) and not masked:
        stored *= projection.groups
    elif isinstance(projection, Identity) and not masked:
        stored *= source_type.shape[0]
    return round(int(np.count_nonzero(projection.weights)) / stored, 6)


def _is_narrow(window: WindowPlan) -> bool:
    """Whether scanners would wait for single taps, and a kernel's row fits them."""
    per_scanner = window.pixel_width / window.scanners
    return bool(
        window.chunks == 1
        and window.kernel[1] > 1
        and (window.planes > 1 or not window.pad_planes)  # the writer knows the timestep of the row
        and per_scanner < BUSY_SLICE_WIDTH
        and per_scanner * window.kernel[1] <= MAX_SLICE_WIDTH
    )


def usual_slots(window: WindowPlan) -> int:
    """Rows of a window, and of those that arrive while it is read."""
    if window.out_rows == 1:
        return 2 * window.rows
    return min(window.kernel[0] + window.stride[0], 2 * window.rows)


def _is_masked(projection: Projection, source_type: TrainType) -> bool:
    """Whether the projection connects channel c to channel c alone."""
    if isinstance(projection, Conv2d):
        return bool(projection.groups == source_type.shape[0] == len(projection.weights) > 1)
    return isinstance(projection, Identity)


def _fits_lanes(source: StreamPlan, words: int, lanes: int) -> bool:
    """Whether each group of lanes reads whole words of the source, and none is shared."""
    if source.layout != WordLayout.PIXEL or lanes % source.width:
        return False
    return words % (lanes // source.width) == 0


def pixel_bits(window: WindowPlan) -> NDArray[np.int64]:
    """Bit of a pixel's words that each bit of its chunks holds, −1 for none.

    Shape (chunks, pixel_width). Words enter a chunk from the top, so an incomplete chunk has them
    there.
    """
    bits = np.full((window.chunks, window.pack, window.word_width), -1)
    words = np.arange(window.words * window.word_width).reshape(window.words, -1)
    for chunk, chosen in enumerate(bits):
        held = words[chunk * window.pack :][: window.pack]
        chosen[window.pack - len(held) :] = held
    return bits.reshape(window.chunks, -1)


def pad_planes(
    pad: NDArray[np.int32], source_type: TrainType, window: WindowPlan
) -> tuple[tuple[int, ...], ...]:
    """Bits of a tap outside the map, for each timestep and chunk: the train of the pad value."""
    order = pixel_bits(window)
    planes = []
    for bits in source_type.code.encode_train(pad, source_type.timesteps):
        # Bits without a channel (−1, or past the last one) read the 0 at the end.
        padded = np.append(bits, 0)
        chosen = padded[np.where(order < len(bits), order, -1)].tolist()
        planes.append(tuple(sum(int(bit) << n for n, bit in enumerate(row)) for row in chosen))
    return tuple(planes)
