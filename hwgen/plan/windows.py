"""The window buffers that layers need: geometry, packing of words, and pad values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.network import Conv2d, Layer, Signal
from hwgen.plan.geometry import StreamPlan, WindowPlan


def layer_window(
    layer: Layer,
    source: StreamPlan,
    given: Signal,
    words: int,
    pack: int,
    flattened: bool,
    lanes: int,
    scanners: int,
) -> WindowPlan:
    (projection,) = layer.projections
    conv = projection if isinstance(projection, Conv2d) else None
    fan_out = layer.bias.shape[0]
    window = WindowPlan(
        word_width=source.width,
        timesteps=given.timesteps,
        rows=1 if flattened else given.shape[1],
        columns=1 if flattened else given.shape[2],
        words=words,
        pack=pack,
        kernel=(conv.weights.shape[2], conv.weights.shape[3]) if conv else (1, 1),
        stride=conv.stride if conv else (1, 1),
        padding=conv.padding if conv else (0, 0, 0, 0),
        fold=-(-fan_out // lanes),
        scanners=scanners,
        pad_planes=(),
    )
    if conv is None or conv.pad_value is None or not any(conv.padding) or not conv.pad_value.any():
        return window
    return replace(window, pad_planes=pad_planes(conv.pad_value, given, window))


def pad_planes(pad: np.ndarray, given: Signal, window: WindowPlan) -> tuple[tuple[int, ...], ...]:
    """Bits of a tap outside the map: the pad value's train, ones first in the rate code."""
    planes = []
    for step in range(given.timesteps):
        if given.code == "radix":
            bits = (pad >> (given.timesteps - 1 - step)) & 1
        else:
            bits = (pad > step).astype(np.int64)
        value = sum(int(bit) << channel for channel, bit in enumerate(bits))
        mask = (1 << window.chunk_width) - 1
        planes.append(
            tuple((value >> (c * window.chunk_width)) & mask for c in range(window.chunks))
        )
    return tuple(planes)
