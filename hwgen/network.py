"""The network of integers that everything downstream reads: layers, projections and neurons.

A network is a list of nodes in topological order. Every node gives spike trains of shape
(timesteps, channels, height, width); a flattened one has height = width = 1. Nothing here
computes a spike: :mod:`hwgen.golden` and :mod:`hwgen.rtl` each implement the docstrings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from hwgen.errors import NetworkError

Shape = tuple[int, int, int]
Pair = tuple[int, int]

CODES = ("radix", "rate")
MAX_TIMESTEPS = 16
MAX_WEIGHT_BITS = 16


def code_max(code: str, timesteps: int) -> int:
    """Largest value q_max that a train of ``timesteps`` steps stands for."""
    return (1 << timesteps) - 1 if code == "radix" else timesteps


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise NetworkError(message)


def _require_integers(array: Any, ndim: int, *, where: str, what: str, bits: int = 62) -> None:
    _require(
        isinstance(array, np.ndarray) and np.issubdtype(array.dtype, np.signedinteger),
        f"{where}: {what} must be a signed integer array, not {getattr(array, 'dtype', array)!r}",
    )
    _require(array.ndim == ndim, f"{where}: {what} must have {ndim} axes, not {array.shape}")
    _require(array.size > 0, f"{where}: {what} is empty, shape {array.shape}")
    low, high = int(array.min()), int(array.max())
    _require(
        -(1 << (bits - 1)) <= low and high < (1 << (bits - 1)),
        f"{where}: {what} must fit {bits} bits, but spans {low} … {high}",
    )


def _require_timesteps(timesteps: int, *, where: str) -> None:
    _require(
        isinstance(timesteps, int) and 1 <= timesteps <= MAX_TIMESTEPS,
        f"{where}: timesteps must be an integer from 1 to {MAX_TIMESTEPS}, not {timesteps!r}",
    )


# --- where spikes come from ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Input:
    """Images of unsigned integer pixels x, encoded into trains of T = ``timesteps`` steps.

    radix   s[t] = bit (pixel_bits − t) of x, t = 1 … T: the first T bits, most significant
            first; 0 where t > pixel_bits. So q = ⌊x·2^(T−pixel_bits)⌋.
    rate    a ← a + x;  s[t] = a ≥ 2^pixel_bits;  a ← a − s[t]·2^pixel_bits, with
            a₀ = 2^(pixel_bits−1). So q = ⌊(T·x + a₀) / 2^pixel_bits⌋ (ECC, Alg. 1, κ = 2^bits).

    Parameters
    ----------
    shape : (channels, height, width)
    timesteps : int
    code : "radix" or "rate"
    pixel_bits : int
        Bits of a pixel, 1 … 16.
    """

    shape: Shape
    timesteps: int
    code: str = "radix"
    pixel_bits: int = 8
    name: str = "input"

    def verify(self) -> None:
        _require(
            len(self.shape) == 3 and all(isinstance(n, int) and n >= 1 for n in self.shape),
            f"{self.name}: shape must be (channels, height, width), all positive, not {self.shape}",
        )
        _require(self.code in CODES, f"{self.name}: code must be one of {CODES}, not {self.code!r}")
        _require_timesteps(self.timesteps, where=self.name)
        _require(
            isinstance(self.pixel_bits, int) and 1 <= self.pixel_bits <= 16,
            f"{self.name}: pixel_bits must be an integer from 1 to 16, not {self.pixel_bits!r}",
        )


# --- projections: the weighted connections into a layer -----------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Conv2d:
    """I[t, o, y, x] = Σ w[o, i, ky, kx] · s[t, i, y·sy − top + ky, x·sx − left + kx].

    A tap outside the map reads the train of ``pad_value`` (its code's q; 0 is silence; a rate train
    holds its spikes first).

    Parameters
    ----------
    source : str
        Name of the node that the spikes come from.
    weights : int32 array, shape (out_channels, in_channels / groups, kernel_y, kernel_x)
    stride : (sy, sx)
    padding : (top, left, bottom, right)
    groups : int
    pad_value : int32 array, shape (in_channels,), or None for zeros
    """

    source: str
    weights: np.ndarray
    stride: Pair = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    pad_value: np.ndarray | None = None

    def verify(self, shape: Shape, q_max: int, *, where: str) -> None:
        """Check against the ``shape`` and the largest value of the source."""
        _require_integers(self.weights, 4, where=where, what="weights", bits=MAX_WEIGHT_BITS)
        out, fan, ky, kx = self.weights.shape
        _require(
            self.groups >= 1 and out % self.groups == 0 and fan * self.groups == shape[0],
            f"{where}: weights {self.weights.shape} with groups={self.groups} do not fit "
            f"{shape[0]} input channels of {self.source!r}",
        )
        _require(
            len(self.stride) == 2 and min(self.stride) >= 1,
            f"{where}: stride must be two positive integers, not {self.stride}",
        )
        top, left, bottom, right = self.padding
        _require(
            min(self.padding) >= 0 and max(top, bottom) < ky and max(left, right) < kx,
            f"{where}: padding {self.padding} must be at least 0 and less than the kernel "
            f"({ky}, {kx})",
        )
        _require(
            shape[1] + top + bottom >= ky and shape[2] + left + right >= kx,
            f"{where}: the {ky}×{kx} kernel does not fit the {shape[1]}×{shape[2]} map of "
            f"{self.source!r} with padding {self.padding}",
        )
        if self.pad_value is not None:
            _require_integers(self.pad_value, 1, where=where, what="pad_value", bits=32)
            _require(
                self.pad_value.shape == (shape[0],)
                and int(self.pad_value.min()) >= 0
                and int(self.pad_value.max()) <= q_max,
                f"{where}: pad_value must hold {shape[0]} values from 0 to {q_max}, "
                f"not {self.pad_value}",
            )

    def output_shape(self, shape: Shape) -> Shape:
        top, left, bottom, right = self.padding
        out, _, ky, kx = self.weights.shape
        height = (shape[1] + top + bottom - ky) // self.stride[0] + 1
        width = (shape[2] + left + right - kx) // self.stride[1] + 1
        return (out, height, width)


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear:
    """I[t, o] = Σ w[o, i] · s[t, i], for a source of shape (in_features, 1, 1).

    Parameters
    ----------
    source : str
    weights : int32 array, shape (out_features, in_features)
    """

    source: str
    weights: np.ndarray

    def verify(self, shape: Shape, q_max: int, *, where: str) -> None:
        _require_integers(self.weights, 2, where=where, what="weights", bits=MAX_WEIGHT_BITS)
        _require(
            shape[1:] == (1, 1),
            f"{where}: a linear projection needs a flattened source, but {self.source!r} has "
            f"shape {shape}; put a Flatten between",
        )
        _require(
            self.weights.shape[1] == shape[0],
            f"{where}: weights {self.weights.shape} do not fit {shape[0]} inputs of "
            f"{self.source!r}",
        )

    def output_shape(self, shape: Shape) -> Shape:
        return (self.weights.shape[0], 1, 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Identity:
    """I[t, c, y, x] = w[c] · s[t, c, y, x].

    Parameters
    ----------
    source : str
    weights : int32 array, shape (channels,)
    """

    source: str
    weights: np.ndarray

    def verify(self, shape: Shape, q_max: int, *, where: str) -> None:
        _require_integers(self.weights, 1, where=where, what="weights", bits=MAX_WEIGHT_BITS)
        _require(
            self.weights.shape == shape[:1],
            f"{where}: {self.weights.size} weights do not fit {shape[0]} channels of "
            f"{self.source!r}",
        )

    def output_shape(self, shape: Shape) -> Shape:
        return shape


Projection = Conv2d | Linear | Identity


# --- neurons: what a layer does with its membranes ----------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _Threshold:
    threshold: np.ndarray
    timesteps: int

    code: ClassVar[str]

    def verify(self, channels: int, *, where: str) -> None:
        _require_timesteps(self.timesteps, where=where)
        _require_integers(self.threshold, 1, where=where, what="threshold", bits=48)
        _require(
            self.threshold.shape == (channels,),
            f"{where}: {self.threshold.size} thresholds do not fit {channels} channels",
        )
        low = int(self.threshold.min())
        _require(
            low >= 1,
            f"{where}: threshold must be at least 1, not {low}; convert with more weight bits "
            f"or more threshold_frac_bits",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class InverseLeakyNeuron(_Threshold):
    """Two-phase inverse-leaky integrate-and-fire, k = 2 (SpikeConverter, Alg. 1, Eq. 10, 12).

    accumulate   V ← k·V + I[t],  t = 1 … T1;  k = 2 for radix input, 1 for rate input
    close        V ← min(max(V·2^f + B, 0), (2^T2 − 1)·θ + θ − 1),  f = threshold_frac_bits
    fire         y[t] = V ≥ θ·2^(T2−1);  V ← 2·(V − y[t]·θ·2^(T2−1)),  t = 1 … T2

    So the train's value is q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, 2^T2 − 1).

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
        θ in units of 2^−f membrane units; positive.
    timesteps : int
        T2, length of the train that it fires.
    threshold_frac_bits : int
        f, 0 … 16.
    """

    threshold_frac_bits: int = 0
    code: ClassVar[str] = "radix"

    def verify(self, channels: int, *, where: str) -> None:
        super().verify(channels, where=where)
        _require(
            isinstance(self.threshold_frac_bits, int) and 0 <= self.threshold_frac_bits <= 16,
            f"{where}: threshold_frac_bits must be from 0 to 16, not {self.threshold_frac_bits!r}",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftResetNeuron(_Threshold):
    """Integrate-and-fire with reset by subtraction, rate code (SpikeConverter, Eq. 4').

    two-phase      accumulate and close as the inverse-leaky neuron (q_max = T2), then
                   y[t] = V ≥ θ;  V ← V − y[t]·θ,  t = 1 … T2, so
                   q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, T2)
    single-phase   V ← V₀, then for t = 1 … T:  V ← V + I[t] + B;  y[t] = V ≥ θ;
                   V ← V − y[t]·θ  (RMP-SNN; ECC, Eq. 2–4). The input must be a rate train of
                   the same length; B comes in every step.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
    timesteps : int
    two_phase : bool
    initial : int64 array, shape (channels,), or None for zeros
        V₀ of the single-phase form, 0 ≤ V₀ < θ.
    threshold_frac_bits : int
        f of the two-phase form, 0 … 16.
    """

    two_phase: bool = True
    initial: np.ndarray | None = None
    threshold_frac_bits: int = 0
    code: ClassVar[str] = "rate"

    def verify(self, channels: int, *, where: str) -> None:
        super().verify(channels, where=where)
        _require(
            isinstance(self.threshold_frac_bits, int) and 0 <= self.threshold_frac_bits <= 16,
            f"{where}: threshold_frac_bits must be from 0 to 16, not {self.threshold_frac_bits!r}",
        )
        _require(
            self.two_phase or self.threshold_frac_bits == 0,
            f"{where}: a single-phase neuron has no threshold_frac_bits; scale its weights",
        )
        if self.initial is not None:
            _require(not self.two_phase, f"{where}: a two-phase neuron has no initial membrane")
            _require_integers(self.initial, 1, where=where, what="initial", bits=48)
            _require(
                self.initial.shape == (channels,)
                and bool((self.initial >= 0).all() and (self.initial < self.threshold).all()),
                f"{where}: initial must hold {channels} values from 0 to threshold − 1",
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadOut:
    """Accumulates as a two-phase neuron, adds B and does not fire: its membranes are the logits.

    The class is their arg-max; the lowest index wins a tie.
    """


Neuron = InverseLeakyNeuron | SoftResetNeuron | ReadOut


# --- nodes --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A population: projections that add into one membrane, a bias, a neuron.

    Parameters
    ----------
    name : str
    projections : tuple of Projection
    bias : int64 array, shape (channels,)
        B, in units of 2^−threshold_frac_bits membrane units, with the rounding offset in it.
    neuron : Neuron
    """

    name: str
    projections: tuple[Projection, ...]
    bias: np.ndarray
    neuron: Neuron

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(projection.source for projection in self.projections)


@dataclass(frozen=True, kw_only=True, eq=False)
class MaxPool2d:
    """Exact max-pool of trains, one step at a time.

    Each window starts with all candidates in the race. At each step the output is the OR of
    those still in it; where it is 1, candidates that sent 0 drop out. On radix trains, and on
    the trains of two-phase soft-reset neurons (ones first, then zeros), this is the maximum.

    Parameters
    ----------
    kernel, stride : (y, x)
    padding : (top, left, bottom, right)
        Taps outside the map send nothing.
    """

    name: str
    source: str
    kernel: Pair
    stride: Pair
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def output_shape(self, shape: Shape) -> Shape:
        top, left, bottom, right = self.padding
        height = (shape[1] + top + bottom - self.kernel[0]) // self.stride[0] + 1
        width = (shape[2] + left + right - self.kernel[1]) // self.stride[1] + 1
        return (shape[0], height, width)


@dataclass(frozen=True, kw_only=True, eq=False)
class Flatten:
    """(channels, height, width) → (channels·height·width, 1, 1), in the order of PyTorch."""

    name: str
    source: str

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0] * shape[1] * shape[2], 1, 1)


Node = Layer | MaxPool2d | Flatten


@dataclass(frozen=True, kw_only=True)
class Signal:
    """What a node gives: ``shape`` (channels, height, width), ``code`` and ``timesteps``.

    ``ones_first`` says whether a rate train holds its spikes first (two-phase neurons).
    """

    shape: Shape
    code: str
    timesteps: int
    ones_first: bool = False

    @property
    def q_max(self) -> int:
        return code_max(self.code, self.timesteps)


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A converted network; its last node is the layer with the read-out.

    Parameters
    ----------
    name : str
    input : Input
    nodes : tuple of Node, in topological order
    provenance : mapping of plain values
        Where it came from: method, options, figures of the conversion. Changes no spike.
    probe : unsigned integer array, shape (images, channels, height, width), or None
        A few calibration images, for predictions of activity and cycles. Changes no spike.
    """

    name: str
    input: Input
    nodes: tuple[Node, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    probe: np.ndarray | None = None

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(node for node in self.nodes if isinstance(node, Layer))

    @property
    def readout(self) -> Layer:
        last = self.nodes[-1]
        assert isinstance(last, Layer)
        return last

    @property
    def classes(self) -> int:
        return int(self.readout.bias.shape[0])

    def signals(self) -> dict[str, Signal]:
        """The signal that each node, and the input, gives; the read-out's stands for logits."""
        from hwgen.verify import infer_signals

        return infer_signals(self)

    def verify(self) -> None:
        """Raise :class:`NetworkError` at the first broken rule."""
        from hwgen.verify import infer_signals

        infer_signals(self)
