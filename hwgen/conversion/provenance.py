"""Origin and figures of a converted network: typed here, plain values in ``network.provenance``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from hwgen.validation import provenance_as

_LEFT_OUT = ("float_accuracy", "effort", "fidelity", "trials", "warnings", "notes")  # if empty
Scales = dict[str, float | list[float]]  # by layer: one for all channels, or one per channel


@dataclass(frozen=True, kw_only=True)
class FeedbackFigures:
    """Search of thresholds by method "feedback"; mappings are by layer."""

    images: int
    rounds: int
    networks_tried: int
    right_spikes_before: float  # R, 0 … 1
    right_spikes: float
    accuracy_before: float  # on the images of the search, in per cent
    accuracy: float
    octaves: Mapping[str, float]  # log2 of the threshold, in units of where it started
    thresholds: Mapping[str, float]  # p for weights of the CNN and pixels of 0 … 1
    consistency: Mapping[str, float]  # C


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """Agreement of the converted network with the float model; no labels are needed.

    Ratios are those of signal to error, in dB; ``layers`` leaves silent ones out.
    """

    images: int
    held_out: bool  # whether calibration has not seen them
    agreement: float  # share of images with the same class, in per cent
    signal_to_error: float  # of the logits
    layers: Mapping[str, float]

    def line(self) -> str:
        """The figure in one line."""
        kind = "held-out calibration images" if self.held_out else "calibration images"
        return (
            f"{self.agreement:.1f} % of the classes are those of the float model on "
            f"{self.images:,} {kind}; logits have {self.signal_to_error:.1f} dB of signal to error"
        )


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One of the ways that ``--effort best`` tried."""

    name: str
    agreement: float  # in per cent, on the images of the fidelity
    signal_to_error: float  # of the logits, in dB


@dataclass(kw_only=True)
class Figures:
    """Figures of the calibration and quantisation."""

    input_scale: list[float]  # per channel: pixel ≈ scale · q + offset
    input_offset: list[float]
    output_scales: Scales = field(default_factory=dict)  # λ, real value of a unit of the code
    zero_points: Scales = field(default_factory=dict)  # z of linear layers: the code of zero
    silent_layers: list[str] = field(default_factory=list)  # that no calibration image makes fire
    logit_scale: float | None = None  # real value of one unit of the logits; None for a softmax
    leak: Mapping[str, float] | None = None  # n, m and k of a leak k < 2
    softmax_step: float | None = None  # of the spiking softmax's table, in units of its argument
    feedback: FeedbackFigures | None = None
    chosen_timesteps: Mapping[str, int] | None = None  # by layer, for mean_timesteps

    def plain(self) -> dict[str, Any]:
        """Plain values by name, without those that do not apply."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a network came from; all of it optional, as not every network was converted.

    ``options`` are the plain values of :class:`hwgen.conversion.Options` by name. The float model
    gets (scale · pixel − mean) / std; ``float_accuracy`` is its accuracy on the calibration images,
    in per cent, None without labels. ``hwgen`` is the version of hwgen. ``warnings`` and ``notes``
    are those that the conversion gave (:mod:`hwgen.caution`).
    """

    method: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    eta: float | None = None
    scale: float = 1 / 255
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    calibration_images: int = 0
    finetuning: Mapping[str, Any] | None = None
    figures: Figures | None = None
    hwgen: str = "unknown"
    float_accuracy: float | None = None
    effort: str | None = None
    fidelity: Fidelity | None = None
    trials: Sequence[Trial] = ()  # with effort "best"; the first is the one that was taken
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()

    def plain(self) -> dict[str, Any]:
        """The mapping that ``network.provenance`` holds."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        del values["figures"]
        for name in _LEFT_OUT:
            if values[name] is None or values[name] == ():
                del values[name]
        for name in ("warnings", "notes"):
            if name in values:
                values[name] = list(values[name])
        if self.fidelity is not None:
            values["fidelity"] = asdict(self.fidelity)
        if self.trials:
            values["trials"] = [asdict(trial) for trial in self.trials]
        return values | ({} if self.figures is None else self.figures.plain())

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """Provenance of a saved network, without figures; unknown names are ignored.

        Raises :class:`.ArtefactError` if a known name has a value of another type.
        """
        names = {item.name for item in fields(cls)} - {"figures"}
        values = {name: value for name, value in plain.items() if name in names}
        return provenance_as(cls, values)
