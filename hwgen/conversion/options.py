"""Options of a conversion, checked in one place. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from hwgen.arguments import require_integer, require_number
from hwgen.conversion import choices
from hwgen.conversion.calibration.levels import parse_leak
from hwgen.conversion.choices import SINGLE_PHASE, Choice, NeuronKind, Rounding, ThresholdRule
from hwgen.conversion.combinations import INPUT_CODES, default_input, require_legal
from hwgen.errors import ConversionError
from hwgen.network import MAX_WEIGHT_BITS, Code, Input, InputCode, InverseLeak
from hwgen.suggest import require_known

FEW_TIMESTEPS, FEW_WEIGHT_BITS = 3, 4  # up to which fitted weights pay

_INTEGERS = {
    "weight_bits": (2, MAX_WEIGHT_BITS),
    "pixel_bits": (1, 16),
    "input_gain": (1, 16),
    "input_seed": (1, (1 << 32) - 1),
    "search_images": (1, 1 << 20),
    "search_rounds": (0, 1000),
}
_NUMBERS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "mean_timesteps": ("from 1 to 16", lambda x: 1 <= x <= 16),
    "threshold_scale": ("above 0, up to 4", lambda x: 0 < x <= 4),
    "eta": ("of at least 0 and below 1", lambda x: 0 <= x < 1),
    "percentile": ("above 0, up to 100", lambda x: 0 < x <= 100),
    "temperature": ("above 0, up to 1e6", lambda x: 0 < x <= 1e6),
    "floor": ("from -16 to 0 thresholds", lambda x: -16 <= x <= 0),
    "drive": ("between -1 and 1 thresholds", lambda x: -1 < x < 1),
    "search_step": ("above 0, up to 8", lambda x: 0 < x <= 8),
    "search_stop": ("above 0, up to 8", lambda x: 0 < x <= 8),
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a conversion; each has a default. Words become members of their enum.

    Parameters
    ----------
    timesteps : int
        T of every layer: 1 … 16 for "ilif", 1 … 1,024 for the others. Also that of an input whose
        code is not "radix".
    layer_timesteps : mapping of name to int
        T2 of single layers, by their name in the model, and of "input". A radix input has as many
        timesteps as a pixel has bits by default, so that it loses nothing.
    mean_timesteps : float or None
        Chooses the timesteps of each layer: as few as possible where the logits hardly change, at
        most this many on average over the layers that fire
        (:mod:`hwgen.conversion.calibration.allocation`). For neuron "ilif" with k = 2.
    weight_bits : int
        2 … 16, sign included; weights are symmetric, ± (2^(bits−1) − 1).
    neuron : NeuronKind
        "ilif": inverse-leaky, two-phase (radix code); "if2": soft reset, two-phase (rate code);
        "if": soft reset, single-phase; "if_hard": hard reset, single-phase; "ttfs": time to first
        spike.
    leak : float or str
        k of every inverse-leaky neuron, 1 < k ≤ 2, or k − 1 as "n/2^m" (m up to 8). k = 2 has the
        smallest error (SpikeConverter, Fig. 5) and the smallest hardware.
    thresholds : ThresholdRule
        Rule for the threshold of each layer.
    threshold_scale : float
        Factor of every threshold, above 0, up to 4.
    eta : float
        Share of its threshold that every membrane gets in addition to its currents, 0 ≤ η < 1: 1/2
        rounds the number of spikes to the nearest (ECC, Eq. 9), 0 rounds it down.
    error : ErrorNorm
        Conversion error that output scales minimise.
    percentile : float or None
        Use this percentile of the activations as the largest one; no error is minimised then.
    channel_scales : bool
        One output scale per channel instead of one per layer.
    bias_correction : BiasCorrection
        "mean" corrects the bias of each channel by the mean error of the layers before it.
    rounding : Rounding or None
        "fitted" fits and rounds weights on calibration data
        (:mod:`hwgen.conversion.quantisation.weight_fitting`). None takes "fitted" for up to 3
        timesteps or 4 weight bits, where it pays, and "nearest" otherwise.
    decoder : DecoderKind
        Where the logits come from; :mod:`hwgen.conversion.combinations` has the legal ones.
    temperature : float
        Divisor of the softmax's argument (:mod:`hwgen.conversion.quantisation.decoders`).
    pixel_bits : int or None
        Bits of a pixel, 1 … 16; None takes those of the largest calibration pixel.
    input_code : InputCode or None
        Code of the input (:class:`hwgen.network.Input`); None takes the neuron's own. Single-phase
        neurons take "rate", "poisson", "direct" (pixels as a constant current) and "events"; the
        others all but "direct". "events" belongs to frames of address events.
    input_gain, input_seed : int
        Of a Poisson input: sixteenths of a spike per timestep for the brightest pixel, 1 … 16; seed
        of the random numbers, 1 … 2^32 − 1.
    floor : float or None
        V_min of single-phase neurons as a share of their threshold, −16 … 0; None: no floor.
    drive : float
        L, added to the membrane of a single-phase neuron in every timestep, as a share of its
        threshold, −1 < L < 1 (feedback thresholds, Eq. 1).
    search_images, search_rounds : int
        Of method "feedback": number of calibration images, evenly spread, that candidates are
        compared on; maximum number of rounds over all layers.
    search_step, search_stop : float
        Of method "feedback": first and last step of a threshold, in octaves (1: twice or half).
    """

    timesteps: int = 8
    layer_timesteps: Mapping[str, int] = field(default_factory=dict)
    mean_timesteps: float | None = None
    weight_bits: int = 8
    neuron: NeuronKind = NeuronKind.ILIF
    leak: float | str = 2.0
    thresholds: ThresholdRule = ThresholdRule.ERROR
    threshold_scale: float = 1.0
    eta: float = 0.5
    error: choices.ErrorNorm = choices.ErrorNorm.SQUARED
    percentile: float | None = None
    channel_scales: bool = True
    bias_correction: choices.BiasCorrection = choices.BiasCorrection.MEAN
    rounding: Rounding | None = None
    decoder: choices.DecoderKind = choices.DecoderKind.MEMBRANE
    temperature: float = 1.0
    pixel_bits: int | None = None
    input_code: InputCode | None = None
    input_gain: int = 16
    input_seed: int = Input.seed
    floor: float | None = None
    drive: float = 0.0
    search_images: int = 256
    search_rounds: int = 8
    search_step: float = 1.0
    search_stop: float = 0.25

    def __post_init__(self) -> None:
        for item in fields(self):
            if isinstance(item.default, Choice):
                chosen = item.default.parse(item.name, getattr(self, item.name))
                object.__setattr__(self, item.name, chosen)
        if self.rounding is not None:
            object.__setattr__(self, "rounding", Rounding.parse("rounding", self.rounding))
        for name, (low, high) in _INTEGERS.items():
            if (value := getattr(self, name)) is not None:
                require_integer(name, value, low, high, error=ConversionError)
        for name, (rule, holds) in _NUMBERS.items():
            if (value := getattr(self, name)) is not None:
                require_number(name, value, rule, holds, error=ConversionError)
        if self.search_stop > self.search_step:
            raise ConversionError(
                f"search_stop must be at most search_step, {self.search_step}, not "
                f"{self.search_stop}"
            )
        if self.input_code is not None:
            require_known("input_code", self.input_code, INPUT_CODES, error=ConversionError)
            object.__setattr__(self, "input_code", InputCode(self.input_code))
        require_legal(self.neuron, self.source_code, self.decoder)
        self._check_timesteps()
        self._check_neuron()
        if self.rounding is None:
            steps = self.mean_timesteps or self.timesteps
            few = steps <= FEW_TIMESTEPS or self.weight_bits <= FEW_WEIGHT_BITS
            object.__setattr__(self, "rounding", Rounding.FITTED if few else Rounding.NEAREST)

    def _check_timesteps(self) -> None:
        if not isinstance(self.layer_timesteps, Mapping):
            raise ConversionError(
                f"layer_timesteps must be a mapping of layers to timesteps, not "
                f"{self.layer_timesteps!r}; for all layers use timesteps"
            )
        high = self.code.max_timesteps
        require_integer("timesteps", self.timesteps, 1, high, error=ConversionError)
        for name, timesteps in {"input": self.timesteps, **self.layer_timesteps}.items():
            code = self.source_code.train_code if name == "input" else self.code
            what, high = f"timesteps of {name!r}", code.max_timesteps
            require_integer(what, timesteps, 1, high, error=ConversionError)
        if self.neuron.single_phase and set(self.layer_timesteps.values()) - {self.timesteps}:
            raise ConversionError(
                "single-phase neurons fire in the step that they integrate, so all layers have "
                "the timesteps of the input; leave layer_timesteps out, or use neuron 'if2'"
            )

    def _check_neuron(self) -> None:
        radix = self.neuron is NeuronKind.ILIF and parse_leak(self.leak).doubles
        if self.mean_timesteps is not None and not radix:
            raise ConversionError(
                f"mean_timesteps needs neuron 'ilif' with leak 2, whose error falls by a factor "
                f"with each timestep, not {self.neuron!r} with leak {self.leak}; leave it out"
            )
        if self.thresholds is ThresholdRule.CURRENT and not self.neuron.single_phase:
            raise ConversionError(
                f"thresholds 'current' needs a neuron that fires as it integrates, "
                f"{SINGLE_PHASE}, not {self.neuron!r}"
            )
        if not self.neuron.single_phase and (self.floor is not None or self.drive):
            raise ConversionError(
                f"floor and drive need a neuron that fires as it integrates, {SINGLE_PHASE}, "
                f"not {self.neuron!r}"
            )
        if not parse_leak(self.leak).doubles and self.neuron is not NeuronKind.ILIF:
            raise ConversionError(f"leak needs neuron 'ilif', not {self.neuron!r}; leave it out")

    @property
    def inverse_leak(self) -> InverseLeak:
        """Leak of every layer that fires; the input's k is 2."""
        return parse_leak(self.leak)

    @property
    def code(self) -> Code:
        """Code of every layer's trains."""
        return Code(self.neuron.code)

    @property
    def source_code(self) -> InputCode:
        """Code of the input."""
        return self.input_code or InputCode(default_input(self.neuron))

    @property
    def chosen_timesteps(self) -> dict[str, int] | None:
        """Timesteps by layer that mean_timesteps made of the options; None without it."""
        if self.mean_timesteps is None:
            return None
        return {name: steps for name, steps in self.layer_timesteps.items() if name != "input"}

    def steps(self, name: str) -> int:
        """Timesteps of the trains of ``name``, a layer or "input"."""
        lossless = name == "input" and self.source_code is InputCode.RADIX
        default = (self.pixel_bits or 8) if lossless else self.timesteps
        return self.layer_timesteps.get(name, default)

    def plain(self) -> dict[str, Any]:
        """Options as plain values, by name."""
        values = vars(self) | {"layer_timesteps": dict(self.layer_timesteps)}
        return {
            name: str(value) if isinstance(value, StrEnum) else value
            for name, value in values.items()
        }
