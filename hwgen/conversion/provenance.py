"""Origin and figures of a converted network: typed here, plain values in ``network.provenance``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

Scales = dict[str, float | list[float]]  # by layer: one for all channels, or one per channel


@dataclass(frozen=True, kw_only=True)
class FeedbackFigures:
    """Search of thresholds by method "feedback".

    Parameters
    ----------
    images, rounds, networks_tried : int
    right_spikes_before, right_spikes : float
        R before and after the search, 0 … 1.
    accuracy_before, accuracy : float
        On the images of the search, in per cent.
    octaves : mapping of layer to float
        log2 of each threshold beside where it started.
    thresholds : mapping of layer to float
        p of each layer when weights are those of the CNN and pixels are 0 … 1.
    consistency : mapping of layer to float
        C of each layer.
    """

    images: int
    rounds: int
    networks_tried: int
    right_spikes_before: float
    right_spikes: float
    accuracy_before: float
    accuracy: float
    octaves: Mapping[str, float]
    thresholds: Mapping[str, float]
    consistency: Mapping[str, float]


@dataclass(kw_only=True)
class Figures:
    """Figures of the calibration and quantisation.

    Parameters
    ----------
    input_scale, input_offset : list of float
        pixel ≈ scale · q + offset, one per channel.
    output_scales : mapping of layer to float or list of float
        λ, the real value of one unit of a layer's code.
    zero_points : mapping of layer to number or list of numbers
        z of linear layers: the code of zero.
    silent_layers : list of str
        Layers that no calibration image makes fire.
    logit_scale : float
        Real value of one unit of the logits.
    leak : mapping, or None
        n, m and k of a leak k < 2.
    softmax_step : float or None
        Step of the spiking softmax's table, in units of its argument.
    feedback : FeedbackFigures or None
    """

    input_scale: list[float]
    input_offset: list[float]
    output_scales: Scales = field(default_factory=dict)
    zero_points: Scales = field(default_factory=dict)
    silent_layers: list[str] = field(default_factory=list)
    logit_scale: float = 1.0
    leak: Mapping[str, float] | None = None
    softmax_step: float | None = None
    feedback: FeedbackFigures | None = None

    def plain(self) -> dict[str, Any]:
        """Plain values by name, without those that do not apply."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a network came from; all of it optional, as not every network was converted.

    Parameters
    ----------
    method : str
    options : mapping of plain values
        :class:`hwgen.conversion.Options` by name.
    eta : float
    scale : float
    mean, std : list of float, or None
        The float model gets (scale · pixel − mean) / std.
    calibration_images : int
    finetuning : mapping of plain values, or None
    figures : Figures or None
    hwgen : str
        Version of hwgen.
    float_accuracy : float or None
        Accuracy of the float model on the calibration images, in per cent; None without labels.
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

    def plain(self) -> dict[str, Any]:
        """The mapping that ``network.provenance`` holds."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        del values["figures"]
        if self.float_accuracy is None:
            del values["float_accuracy"]
        return values | ({} if self.figures is None else self.figures.plain())

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """Provenance of a saved network, without figures; unknown names are ignored."""
        names = {item.name for item in fields(cls)} - {"figures"}
        return cls(**{name: value for name, value in plain.items() if name in names})
