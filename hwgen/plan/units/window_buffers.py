"""Window buffers of projections: geometry, packing of words, and pad values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hwgen.network import Conv2d, Identity, Linear, Projection, TrainType, equal_taps
from hwgen.plan.units.geometry import Schedule, StreamPlan, WindowPlan, WordLayout
from hwgen.plan.units.synaptic_path import PathKind, SynapticPathPlan
from hwgen.plan.units.widths import signed_width

MAX_SLICE_WIDTH = 32
"""Maximum bits that a scanner searches per cycle; wider slices lower the clock."""
BUSY_SLICE_WIDTH = 8
"""A narrower slice holds about one spike or none, so that reading it takes as long as scanning."""


@dataclass(frozen=True, kw_only=True)
class WeightFacts:
    """What the weights of a projection decide, whatever its unit is.

    Parameters
    ----------
    tile : (ty, tx)
        Tiles of equal taps.
    bits : int
        Bits that hold every weight, and 0.
    present, absent : int
        Weights other than 0, and connections of a dense projection that the projection lacks.
    """

    tile: tuple[int, int]
    bits: int
    present: int
    absent: int

    @classmethod
    def of(cls, projection: Projection, source_type: TrainType) -> WeightFacts:
        weights, fan_in = projection.weights, 1
        if isinstance(projection, Conv2d):
            fan_in = projection.groups
        elif isinstance(projection, Identity):
            fan_in = source_type.shape[0]
        return cls(
            tile=equal_taps(weights),
            bits=signed_width(min(0, int(weights.min())), max(0, int(weights.max()))),
            present=int(np.count_nonzero(weights)),
            absent=weights.size * (fan_in - 1),
        )


def plan_path(
    projection: Projection,
    source: StreamPlan,
    source_type: TrainType,
    *,
    fan_out: int,
    lanes: int,
    scanners: int,
    facts: WeightFacts | None = None,
) -> SynapticPathPlan:
    """Sizes of one projection's synaptic path; ``facts`` are those of it, where they are known.

    A linear projection reads a map like a convolution whose kernel is the whole map and whose
    pixels are the map's rows, so the window buffer reassembles the map in either schedule.
    """
    facts = facts or WeightFacts.of(projection, source_type)
    conv = projection if isinstance(projection, Conv2d) else None
    flat = isinstance(projection, Linear)
    words = source.words_per_row if flat else source.words_per_pixel
    rounds = ceil(fan_out / lanes)
    masked = _is_masked(projection, source_type) and _fits_lanes(source, words, lanes)
    ky, kx = conv.weights.shape[2:] if conv else (source.rows if flat else 1, 1)
    pad = conv.pad_value if conv and any(conv.padding) else None
    pads = pad is not None and bool(pad.any())
    # The writer of a wide window knows the timestep only where a row comes in all of them.
    knows_step = source.schedule == Schedule.ROW and source_type.timesteps > 1
    may_be_wide = not masked and facts.tile == (1, 1) and (knows_step or not pads)
    taps = kx if may_be_wide else 1
    if masked:
        scanners, pack = 1, lanes // source.width
    else:
        scanners = min(scanners, source.width * words * taps)
        pack = max(1, min(words, MAX_SLICE_WIDTH * scanners // source.width))
        scanners = min(scanners, pack * source.width * taps)
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
    if pad is not None and pads:
        window = replace(window, pad_planes=pad_planes(pad, source_type, window))
    if may_be_wide and _is_narrow(window):
        window = replace(window, wide=True)
    return SynapticPathPlan(
        source=source.node,
        kind=PathKind.MASKED if masked else PathKind.SPIKES,
        window=window,
        tile=facts.tile,
        weight_bits=facts.bits,
        weight_share=round(
            facts.present / (projection.weights.size + (0 if masked else facts.absent)), 6
        ),
    )


def _is_narrow(window: WindowPlan) -> bool:
    """Whether scanners would wait for single taps, and a kernel's row fits them."""
    per_scanner = window.pixel_width / window.scanners
    return bool(
        window.chunks == 1
        and window.kernel[1] > 1
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
