"""What a method is told, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hwgen.convert.graph import INPUT
from hwgen.errors import ConversionError
from hwgen.network import MAX_TIMESTEPS, MAX_WEIGHT_BITS, Input, Node

Progress = Callable[[int, int, str], None]  # layers done, of how many, the one at work

NEURONS = {"ilif": "radix", "if2": "rate", "if": "rate", "if-hard": "rate", "ttfs": "ttfs"}
"""And their codes."""
SINGLE_PHASE = ("if", "if-hard")
INPUTS = {"radix": "radix", "rate": "rate", "ttfs": "ttfs", "direct": "rate", "events": "rate"}
"""Codes of the input, and those in which its timesteps count."""
SIGNED_NEURONS = ("ilif",)  # whose trains may have a zero point
THRESHOLDS = ("error", "maximum", "current")
ERRORS = ("absolute", "squared")
ROUNDINGS = ("nearest", "fitted")
CORRECTIONS = ("none", "mean")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a method may be told; every one has a default.

    Parameters
    ----------
    timesteps : int
        T of the input and of every layer: 1 … 16 for "ilif", up to 1,024 for the others.
    layer_timesteps : mapping of name to int
        T2 of single layers, by their name in the model, and of "input".
    weight_bits : int
        2 … 16, sign included; the weights are symmetric, ± (2^(bits−1) − 1).
    neuron : "ilif", "if2", "if", "if-hard" or "ttfs"
        Inverse-leaky (radix code); soft reset, two-phase (rate code); soft reset, single-phase;
        hard reset, single-phase; time to first spike.
    thresholds : "error", "maximum" or "current"
        Of each layer: the one of least conversion error; the largest activation; the largest
        current of a timestep, when the layers before it spike (single-phase neurons only).
    threshold_scale : float
        What thresholds are multiplied by.
    eta : float
        Share of a threshold that every membrane gets beside its currents, 0 … 1: 1/2 rounds the
        number of spikes to the nearest (ECC, Eq. 9), 0 rounds it down.
    error : "absolute" or "squared"
        What the choice of output scales minimises: SpikeConverter's Eq. 13, or its square, which
        is the better choice for deep networks at 2 or 3 timesteps.
    percentile : float or None
        Take this percentile of the activations as the largest one instead of minimising an error.
    channel_scales : bool
        One output scale a channel instead of one a layer.
    bias_correction : "none" or "mean"
        "mean": each channel's bias makes up for the mean error of what came before it.
    rounding : "nearest" or "fitted"
        "fitted": weights are fitted to what the layers before give, and rounded so that errors
        make up for each other (:mod:`hwgen.convert.rounding`).
    pixel_bits : int or None
        Bits of a pixel; None takes those of the images' type.
    input_code : "radix", "rate", "ttfs", "direct", "events" or None
        None takes the neurons' code. "direct", where pixels are a constant current, is for
        single-phase neurons; "events" is that of frames of address events, whatever the neurons.
    """

    timesteps: int = 8
    layer_timesteps: Mapping[str, int] = field(default_factory=dict)
    weight_bits: int = 8
    neuron: str = "ilif"
    thresholds: str = "error"
    threshold_scale: float = 1.0
    eta: float = 0.5
    error: str = "absolute"
    percentile: float | None = None
    channel_scales: bool = False
    bias_correction: str = "none"
    rounding: str = "nearest"
    pixel_bits: int | None = None
    input_code: str | None = None

    def __post_init__(self) -> None:
        _choice("neuron", self.neuron, tuple(NEURONS))
        _whole("timesteps", self.timesteps, 1, MAX_TIMESTEPS[self.code])
        _whole("weight_bits", self.weight_bits, 2, MAX_WEIGHT_BITS)
        if self.pixel_bits is not None:
            _whole("pixel_bits", self.pixel_bits, 1, 16)
        _choice("input_code", self.source_code, tuple(INPUTS))
        for name, timesteps in self.layer_timesteps.items():
            code = INPUTS[self.source_code] if name == INPUT else self.code
            _whole(f"timesteps of {name!r}", timesteps, 1, MAX_TIMESTEPS[code])
        single = self.neuron in SINGLE_PHASE
        if single and INPUTS[self.source_code] != "rate":
            raise ConversionError(
                f"input_code {self.source_code!r} is for two-phase neurons; {self.neuron!r} reads "
                f"'rate', 'direct' or 'events'"
            )
        if self.source_code == "direct" and not single:
            raise ConversionError(
                f"input_code 'direct' is a constant current, which neurons that fire as they "
                f"integrate read, {' and '.join(SINGLE_PHASE)}, not {self.neuron!r}"
            )
        _choice("thresholds", self.thresholds, THRESHOLDS)
        _choice("error", self.error, ERRORS)
        _choice("bias_correction", self.bias_correction, CORRECTIONS)
        _choice("rounding", self.rounding, ROUNDINGS)
        if self.percentile is not None and not 0 < self.percentile <= 100:
            raise ConversionError(f"percentile must be above 0, up to 100, not {self.percentile}")
        if not 0 < self.threshold_scale <= 4:
            raise ConversionError(
                f"threshold_scale must be above 0, up to 4, not {self.threshold_scale}"
            )
        if not 0 <= self.eta < 1:
            raise ConversionError(f"eta must be at least 0 and below 1, not {self.eta}")
        if self.thresholds == "current" and self.neuron not in SINGLE_PHASE:
            raise ConversionError(
                f"thresholds 'current' are those of neurons that fire as they integrate, "
                f"{' and '.join(SINGLE_PHASE)}, not of {self.neuron!r}"
            )
        if self.neuron in SINGLE_PHASE and set(self.layer_timesteps.values()) - {self.timesteps}:
            raise ConversionError(
                "single-phase neurons fire in the step that they integrate, so all layers have "
                "the timesteps of the input; leave the layers' own out, or take neuron 'if2'"
            )

    @property
    def code(self) -> str:
        """Of every layer's train."""
        return NEURONS[self.neuron]

    @property
    def source_code(self) -> str:
        """Of the input."""
        return self.input_code or self.code

    def steps(self, name: str) -> int:
        """Timesteps of the train that ``name`` (a layer, or "input") gives."""
        return self.layer_timesteps.get(name, self.timesteps)


def _whole(what: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConversionError(f"{what} must be an integer from {low} to {high}, not {value!r}")


def _choice(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConversionError(f"{what} must be one of {', '.join(known)}, not {value!r}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Converted:
    """The integers, and plain figures of the conversion for the network's provenance."""

    input: Input
    nodes: tuple[Node, ...]
    figures: dict[str, Any]
