"""What a method is told, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hwgen.conversion.calibration.levels import parse_leak
from hwgen.conversion.combinations import DECODERS, input_codes, require_legal, usual_input
from hwgen.errors import ConversionError
from hwgen.network import MAX_TIMESTEPS, MAX_WEIGHT_BITS, Input, InverseLeak, Node
from hwgen.suggest import require_known

Progress = Callable[[int, int, str], None]  # layers done, of how many, the one at work

NEURONS = {"ilif": "radix", "if2": "rate", "if": "rate", "if_hard": "rate", "ttfs": "ttfs"}
"""And their codes."""
SINGLE_PHASE = ("if", "if_hard")
INPUTS = {
    "radix": "radix",
    "rate": "rate",
    "ttfs": "ttfs",
    "poisson": "rate",
    "direct": "rate",
    "events": "rate",
}
"""Codes of the input, and those in which its timesteps count."""
SIGNED_NEURONS = ("ilif",)  # whose trains may have a zero point
THRESHOLDS = ("error", "maximum", "one", "current")
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
    neuron : "ilif", "if2", "if", "if_hard" or "ttfs"
        Inverse-leaky (radix code); soft reset, two-phase (rate code); soft reset, single-phase;
        hard reset, single-phase; time to first spike.
    leak : float or str
        k of every inverse-leaky neuron, above 1, up to 2, or k − 1 as "n/2^m" (m up to 8): k = 2 is
        the best (SpikeConverter, Fig. 5), and the smallest in hardware.
    thresholds : "error", "maximum", "one" or "current"
        Of each layer: the one of least conversion error; the largest activation; 1, as if weights
        were normalised already; the largest current of a timestep, when the layers before it spike
        (single-phase neurons only).
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
        make up for each other (:mod:`hwgen.conversion.quantisation.weight_fitting`).
    decoder : "membrane", "spike_count", "first_spike" or "softmax"
        What the logits are; :mod:`hwgen.conversion.combinations` tells which go with which neurons.
    temperature : float
        Of "softmax": what its argument is divided by
        (:mod:`hwgen.conversion.quantisation.decoders`).
    pixel_bits : int or None
        Bits of a pixel; None takes those of the images' type.
    input_code : "radix", "rate", "ttfs", "poisson", "direct", "events" or None
        The code of the input (:class:`hwgen.network.Input`); None is the neuron's own. "direct",
        where pixels are a constant current, is for single-phase neurons, which take "rate" and
        "poisson", too; "events" is that of frames of address events, whatever the neurons.
    input_gain, input_seed : int
        Of a Poisson input: 1 … 16, 16 times the spikes of the brightest pixel in a timestep; and
        1 … 2^32 − 1.
    floor : float or None
        V_min of single-phase neurons as a share of their threshold, −16 … 0; None for none.
    drive : float
        L, what comes to the membrane of a single-phase neuron in every timestep, as a share of its
        threshold, above −1 and below 1 (feedback thresholds, Eq. 1).
    search_images, search_rounds : int
        Of method "feedback": calibration images, evenly spread, that candidates are judged by, and
        rounds over all layers at most.
    search_step, search_stop : float
        n, the first step of a threshold, in octaves (1: double or half), and the last one.
    """

    timesteps: int = 8
    layer_timesteps: Mapping[str, int] = field(default_factory=dict)
    weight_bits: int = 8
    neuron: str = "ilif"
    leak: float | str = 2.0
    thresholds: str = "error"
    threshold_scale: float = 1.0
    eta: float = 0.5
    error: str = "absolute"
    percentile: float | None = None
    channel_scales: bool = False
    bias_correction: str = "none"
    rounding: str = "nearest"
    decoder: str = "membrane"
    temperature: float = 1.0
    pixel_bits: int | None = None
    input_code: str | None = None
    input_gain: int = 16
    input_seed: int = Input.seed
    floor: float | None = None
    drive: float = 0.0
    search_images: int = 256
    search_rounds: int = 8
    search_step: float = 1.0
    search_stop: float = 0.25

    def __post_init__(self) -> None:
        _choice("neuron", self.neuron, tuple(NEURONS))
        _whole("timesteps", self.timesteps, 1, MAX_TIMESTEPS[self.code])
        _whole("weight_bits", self.weight_bits, 2, MAX_WEIGHT_BITS)
        if self.pixel_bits is not None:
            _whole("pixel_bits", self.pixel_bits, 1, 16)
        _choice("decoder", self.decoder, tuple(DECODERS))
        if self.input_code is not None:
            _choice("input_code", self.input_code, input_codes())
        require_legal(self.neuron, self.source_code, self.decoder)
        for name, timesteps in {"input": self.timesteps, **self.layer_timesteps}.items():
            code = INPUTS[self.source_code] if name == "input" else self.code
            _whole(f"timesteps of {name!r}", timesteps, 1, MAX_TIMESTEPS[code])
        if not 0 < self.temperature <= 1e6:
            raise ConversionError(f"temperature must be above 0, up to 1e6, not {self.temperature}")
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
        self._check_input()
        self._check_range()
        if not parse_leak(self.leak).doubles and self.neuron != "ilif":
            raise ConversionError(
                f"leak is that of neuron 'ilif', not of {self.neuron!r}; leave it out"
            )
        _whole("search_images", self.search_images, 1, 1 << 20)
        _whole("search_rounds", self.search_rounds, 0, 1000)
        if not 0 < self.search_stop <= self.search_step <= 8:
            raise ConversionError(
                f"search_step and search_stop must be above 0, up to 8, and the stop not above "
                f"the step, not {self.search_step} and {self.search_stop}"
            )

    def _check_input(self) -> None:
        _whole("input_gain", self.input_gain, 1, 16)
        _whole("input_seed", self.input_seed, 1, (1 << 32) - 1)

    def _check_range(self) -> None:
        if self.floor is not None and not -16 <= self.floor <= 0:
            raise ConversionError(f"floor must be from -16 to 0 thresholds, not {self.floor}")
        if not -1 < self.drive < 1:
            raise ConversionError(f"drive must be between -1 and 1 thresholds, not {self.drive}")
        if self.neuron not in SINGLE_PHASE and (self.floor is not None or self.drive):
            raise ConversionError(
                f"floor and drive are those of neurons that fire as they integrate, "
                f"{' and '.join(SINGLE_PHASE)}, not of {self.neuron!r}"
            )

    @property
    def inverse_leak(self) -> InverseLeak:
        """Of every layer that fires; the input's is 2."""
        return parse_leak(self.leak)

    @property
    def code(self) -> str:
        """Of every layer's trains."""
        return NEURONS[self.neuron]

    @property
    def source_code(self) -> str:
        """Of the input."""
        return self.input_code or usual_input(self.neuron)

    def steps(self, name: str) -> int:
        """Timesteps of the train that ``name`` (a layer, or "input") gives."""
        return self.layer_timesteps.get(name, self.timesteps)


def _whole(what: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConversionError(f"{what} must be an integer from {low} to {high}, not {value!r}")


def _choice(what: str, value: str, known: tuple[str, ...]) -> None:
    require_known(what, value, known, error=ConversionError)


@dataclass(frozen=True, kw_only=True, eq=False)
class Converted:
    """The integers, and plain figures of the conversion for the network's provenance."""

    input: Input
    nodes: tuple[Node, ...]
    figures: dict[str, Any]
