"""Decoding of the input: the pixel value that the code of a spike train represents.

A Poisson train of T steps has T·c·x spikes for a pixel x on average, c = gain / 2^(pixel_bits + 4)
(feedback thresholds, III.B, where pixels are 0 … 1). So its code q, the number of spikes,
represents q / (T·c). The other codes are fitted to calibration images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from hwgen.conversion.calibration.float_run import per_channel
from hwgen.conversion.calibration.levels import Levels
from hwgen.conversion.float_graph import FloatConv2d, FloatGraph, Population
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import Options
from hwgen.golden.incremental import IncrementalRun
from hwgen.golden.inputs import input_values
from hwgen.network import Input, InputCode, Shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoding:
    """Real value of a code: x ≈ scale · q + offset, both float64 of shape (channels,).

    With ``levels``, those of a leak k < 2, it is scale · v + offset, where v is the value of the
    train with the binary number q. Every q is a multiple of ``step``: T for direct input, where a
    pixel counts once per timestep; else 1.
    """

    scale: np.ndarray
    offset: np.ndarray
    levels: Levels | None = None
    step: int = 1

    def of(self, codes: torch.Tensor) -> torch.Tensor:
        """Values of ``codes`` (samples, channels, height, width), float32."""
        return codes * per_channel(self.scale).float() + per_channel(self.offset).float()

    def code(self, value: np.ndarray, q_max: float) -> np.ndarray:
        """Code nearest to ``value`` (channels,), int32."""
        nearest = self.step * np.round((value - self.offset) / (self.scale * self.step))
        if self.levels is not None:
            near = self.levels.nearest((value - self.offset) / self.scale)
            return np.asarray(self.levels.words[near].astype(np.int32))
        return np.asarray(np.clip(nearest, 0, q_max).astype(np.int32))


def make_input(graph: FloatGraph, options: Options) -> Input:
    """The input of the network, by ``options``."""
    return Input(
        shape=graph.input_shape,
        timesteps=options.steps(INPUT),
        code=options.source_code,
        pixel_bits=options.pixel_bits or 8,
        gain=options.input_gain,
        seed=options.input_seed,
    )


def counts_of(images: np.ndarray) -> np.ndarray:
    """``images`` themselves; for frames (samples, timesteps, …), the number of events per pixel."""
    return images.sum(axis=1, dtype=np.uint16) if images.ndim == 5 else images


def encode(images: np.ndarray, source: Input) -> np.ndarray:
    """q of each pixel, int64 (samples, channels, height, width), by the golden model.

    Of frames of events it is the number of events of each pixel, of direct input the sum of its
    constant current over all timesteps.
    """
    values = IncrementalRun(source, images).values(source.name).astype(np.int64)
    return values * max(1, source.train_type.constant_steps)


def decode_input(images: np.ndarray, source: Input, graph: FloatGraph) -> Decoding:
    """Affine map from codes to pixels with the smallest squared error on ``images``.

    A code of few bits drops the low bits of a pixel; the offset corrects the mean of this error.
    Padding counts like pixels: the more taps of a convolution lie outside the map, the larger the
    weight of the code nearest to the pad value.
    """
    channels, unit = source.shape[0], 0.0
    step = max(1, source.train_type.constant_steps)
    if source.code is InputCode.POISSON:
        unit = 2.0 ** (source.pixel_bits + 4) / (source.timesteps * source.gain)
    elif source.code in (InputCode.DIRECT, InputCode.EVENTS):  # exact
        unit = 1 / step
    elif source.code is InputCode.RADIX and source.timesteps >= source.pixel_bits:
        unit = 2.0 ** (source.pixel_bits - source.timesteps)  # nothing is dropped
    if unit:
        return Decoding(scale=np.full(channels, unit), offset=np.zeros(channels), step=step)
    values = np.arange(1 << source.pixel_bits)
    codes = input_values(values, source).astype(np.int64)
    pads, share = _pads(graph, source.shape)
    scale, offset = np.empty(channels), np.empty(channels)
    for c in range(channels):
        counts = np.bincount(images[:, c].reshape(-1), minlength=len(values)).astype(np.float64)
        counts /= counts.sum()
        scale[c], offset[c] = _fit(values, codes, counts, pads[c], share)
    return Decoding(scale=scale, offset=offset)


def _pads(graph: FloatGraph, shape: Shape) -> tuple[np.ndarray, float]:
    """Pad values (channels,) in pixels; ratio of taps outside the map to taps inside it."""
    for node in graph.nodes:
        for projection in node.projections if isinstance(node, Population) else ():
            if projection.source == INPUT and isinstance(projection, FloatConv2d):
                pads = projection.pad_value
                pads = np.zeros(shape[0]) if pads is None else pads
                return pads, _outside_share(shape[1:], projection)
    return np.zeros(shape[0]), 0.0


def _outside_share(size: tuple[int, ...], projection: FloatConv2d) -> float:
    inside, total = 1.0, 1.0
    for axis in range(2):
        before, after = projection.padding[axis], projection.padding[axis + 2]
        kernel, stride = projection.weights.shape[2 + axis], projection.stride[axis]
        starts = np.arange(0, size[axis] + before + after - kernel + 1, stride)
        taps = starts[:, np.newaxis] + np.arange(kernel) - before
        inside *= float(((taps >= 0) & (taps < size[axis])).sum())
        total *= taps.size
    return (total - inside) / inside if inside else 0.0


def _fit(
    values: np.ndarray, codes: np.ndarray, weights: np.ndarray, pad: float, share: float
) -> tuple[float, float]:
    """Weighted least squares values ≈ a·codes + b; the pad value gets its best code."""
    scale, offset, _ = _least_squares(values, codes, weights)
    if not share:
        return scale, offset
    nearest = int(np.floor((pad - offset) / scale))
    tries = np.unique(np.clip([nearest - 1, nearest, nearest + 1, nearest + 2], 0, codes.max()))
    fits = [
        _least_squares(np.append(values, pad), np.append(codes, q), np.append(weights, share))
        for q in tries
    ]
    scale, offset, _ = min(fits, key=lambda fit: fit[2])
    return scale, offset


def _least_squares(x: np.ndarray, q: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    total = weights.sum()
    mean_x, mean_q = (weights * x).sum() / total, (weights * q).sum() / total
    spread = (weights * (q - mean_q) ** 2).sum()
    step = (len(np.unique(x)) - 1) / max(int(q.max()), 1)
    scale = (weights * (x - mean_x) * (q - mean_q)).sum() / spread if spread > 1e-12 else step
    scale = scale if scale > 0 else step
    offset = mean_x - scale * mean_q
    error = (weights * (x - scale * q - offset) ** 2).sum() / total
    return float(scale), float(offset), float(error)
