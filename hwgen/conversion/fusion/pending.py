"""The symbolic value during fusion: all operations since the last neuron."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from hwgen.conversion.float_graph import FloatConv2d, FloatIdentity, FloatProjection
from hwgen.conversion.frontend.operators.call import Refusal
from hwgen.conversion.fusion.compose import Kernel
from hwgen.conversion.op_graph import NO_PADDING, MaxPoolOp, Op, Padding
from hwgen.network import Shape

_ROUNDING = 2.0**-22  # of a difference of two float32 numbers, as a share of them


@dataclass(frozen=True, eq=False)
class Pad:
    """``value`` (channels,) all around, on ``sides`` (top, left, bottom, right)."""

    sides: Padding
    value: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Map:
    """A linear map that no population has closed yet: the sum of its projections, and the bias."""

    projections: tuple[FloatProjection, ...]
    bias: np.ndarray  # float64 (channels,)
    op: Op  # whose name the population will have
    average: bool = False  # an average pool may become a population with weights of one


@dataclass(frozen=True, kw_only=True, eq=False)
class Value:
    """x = pad(scale · pools(map(source)) + offset), seen by the model as ``view``."""

    source: str  # a finished node; the first projection's if a map is pending
    shape: Shape  # before padding; features are (features, 1, 1)
    view: tuple[int, ...]
    scale: np.ndarray  # float64 (channels,), as offset
    offset: np.ndarray
    map: Map | None = None
    pools: tuple[tuple[MaxPoolOp, Shape], ...] = ()  # with shapes before; a ReLU commutes with them
    pad: Pad | None = None
    flat_name: str = "flatten"  # of the flatten, if one is needed

    @property
    def is_flat(self) -> bool:
        return self.view == (math.prod(self.shape),)

    @property
    def is_plain(self) -> bool:
        """Whether only the map and the pools are pending."""
        return self.pad is None and bool((self.scale == 1).all()) and not self.offset.any()

    def require_maps(self) -> Value:
        """Itself, if the model sees it as maps."""
        seen = self.shape if self.pad is None else _grown(self.shape, self.pad.sides)
        if self.view != seen:
            raise Refusal(
                f"needs maps of {seen} (channels, height, width), but they were reshaped to "
                f"{self.view}"
            )
        return self

    def without_affine(self) -> Value:
        one = np.ones(self.shape[0])
        return replace(self, scale=one, offset=0 * one)

    def affine(self, scale: np.ndarray, offset: np.ndarray) -> Value:
        return replace(
            self,
            scale=scale * self.scale,
            offset=_total(scale * self.offset, offset),
            pad=self.pad and Pad(self.pad.sides, scale * self.pad.value + offset),
        )

    def per_channel(self, features: np.ndarray) -> np.ndarray | None:
        """(n, channels) from (n, features of the flattened map), if pixels agree."""
        grouped = features.reshape(len(features), self.shape[0], -1)
        return grouped[:, :, 0] if (grouped == grouped[:, :, :1]).all() else None

    def padded(self, padding: Padding, value: float) -> Value:
        given = np.full(self.shape[0], value)
        if self.pad is not None:
            if (self.pad.value != given).any():
                raise Refusal("pads twice with different values; pad once")
            padding = _sum(padding, self.pad.sides)
        return replace(self, pad=Pad(padding, given), view=_grown(self.shape, padding))

    def mapped(self, new: Map, shape: Shape, *, flat: bool = False) -> Value:
        """The value after a linear map that includes everything before it."""
        view = shape[:1] if flat else shape
        value = replace(self, map=new, shape=shape, view=view, pad=None)
        return value if new.average else value.without_affine()

    def finished(self, source: str) -> Value:
        """The value of the node ``source``, which includes everything but a padding."""
        return replace(self, source=source, map=None, pools=()).without_affine()

    def fused_map(self) -> Map:
        """The map with scale and offset fused into it."""
        assert self.map is not None
        projections = tuple(
            replace(p, weights=p.weights * self.scale.reshape(-1, *(1,) * (p.weights.ndim - 1)))
            for p in self.map.projections
        )
        return replace(
            self.map, projections=projections, bias=self.map.bias * self.scale + self.offset
        )

    def terms(self) -> tuple[tuple[FloatProjection, ...], np.ndarray]:
        """Projections and bias of a population that holds this value (before its pools)."""
        if self.map is None:
            return (FloatIdentity(source=self.source, weights=self.scale),), self.offset
        done = self.fused_map()
        return done.projections, done.bias

    def project(self, kernel: Kernel, *, low: float, high: float) -> tuple[FloatConv2d, np.ndarray]:
        """``kernel`` as a convolution of the source, of values ``low`` … ``high``, and its bias.

        Padding with p becomes padding with (p − offset) / scale: in a normalised domain zero is the
        mean of the pixels, not silence.
        """
        assert self.map is None
        groups = kernel.groups
        out, fan, *_ = kernel.weights.shape
        grouped = kernel.weights.reshape(groups, out // groups, fan, *kernel.weights.shape[2:])
        scale = self.scale.reshape(groups, 1, fan, 1, 1)
        offset = self.offset.reshape(groups, 1, fan, 1, 1)
        padding, pad_value = self._source_padding(kernel, low, high)
        projection = FloatConv2d(
            source=self.source,
            weights=(grouped * scale).reshape(kernel.weights.shape),
            stride=kernel.stride,
            padding=padding,
            groups=groups,
            pad_value=pad_value,
        )
        return projection, kernel.bias + (grouped * offset).sum(axis=(2, 3, 4)).reshape(-1)

    def _source_padding(
        self, kernel: Kernel, low: float, high: float
    ) -> tuple[Padding, np.ndarray | None]:
        if self.pad is None and not any(kernel.padding):
            return NO_PADDING, None
        pad = self.pad or Pad(NO_PADDING, np.zeros(self.shape[0]))
        if any(kernel.padding) and pad.value.any():
            raise Refusal("is padded with zeros after another padding value; pad once")
        padding = _sum(kernel.padding, pad.sides)
        sides = kernel.weights.shape[2:] * 2
        if any(p >= k for p, k in zip(padding, sides)):
            raise Refusal(
                f"padding {padding} (top, left, bottom, right) must be less than the kernel "
                f"{kernel.weights.shape[2:]}; pad less"
            )
        dead = self.scale == 0
        wanted = _total(pad.value, -self.offset)
        if (wanted[dead] != 0).any():
            raise Refusal("pads a channel whose scale is 0; use padding=0")
        codes = np.where(dead, 0.0, wanted / np.where(dead, 1.0, self.scale))
        if (bad := codes[(codes < low) | (codes > high)]).size:
            raise Refusal(
                f"its padding is the value {bad[0]:.4g} of {self.source!r}, but spikes "
                f"carry {low:g} … {high:g}; put the batch norm before the ReLU, or use padding=0"
            )
        return padding, codes if codes.any() else None


def _total(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """``first + second``; 0 where they cancel but for their rounding to float32."""
    total = first + second
    noise = _ROUNDING * np.maximum(np.abs(first), np.abs(second))
    return np.where(np.abs(total) <= noise, 0.0, total)


def _sum(first: Padding, second: Padding) -> Padding:
    top, left, bottom, right = (a + b for a, b in zip(first, second))
    return (top, left, bottom, right)


def _grown(shape: Shape, padding: Padding) -> Shape:
    top, left, bottom, right = padding
    return (shape[0], shape[1] + top + bottom, shape[2] + left + right)
