"""Figures of a run of the golden model: their types, and how they are printed."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass
from typing import TYPE_CHECKING, Any

from hwgen.commands.output import print_table
from hwgen.commands.terminal import say

if TYPE_CHECKING:
    import numpy as np

    from hwgen.conversion.provenance import Fidelity
    from hwgen.golden import Result
    from hwgen.network import Network

_OPTIONAL = ("classes", "warnings")


@dataclass(frozen=True, kw_only=True)
class LayerFigures:
    """Activity of a layer: means per image; MACs are those of the same layer in a CNN."""

    layer: str
    neurons: int | None
    spikes_per_neuron: float | None
    synaptic_operations: float
    macs: int


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """Accuracy on the images of one class, in per cent; None without images."""

    label: int
    images: int
    correct: int
    accuracy: float | None
    float_accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Figures of a run: accuracies in per cent, counts per image.

    ``float_images`` names the images of the float model's accuracy: "same" or "calibration".
    ``warnings`` are those of the conversion.
    """

    network: str
    images: int
    timesteps: int
    input_timesteps: int
    accuracy: float | None
    float_accuracy: float | None
    float_images: str | None
    fidelity: Fidelity | None
    spikes_per_neuron: float
    synaptic_operations: float
    macs: int
    layers: tuple[LayerFigures, ...]
    classes: tuple[ClassFigures, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values, without ``classes`` and ``warnings`` if there are none."""
        plain = asdict(self)
        return {name: plain[name] for name in plain if plain[name] or name not in _OPTIONAL}


def summarise(network: Network, result: Result, labels: np.ndarray | None) -> Evaluation:
    """Figures of a run, with the float model's accuracy on the calibration images if known."""
    from hwgen.conversion import Provenance

    layers = tuple(
        LayerFigures(
            layer=name,
            neurons=result.neurons.get(name),
            spikes_per_neuron=result.spikes_per_neuron(name) if name in result.spikes else None,
            synaptic_operations=float(operations.mean()),
            macs=int(result.macs[name]),
        )
        for name, operations in result.synaptic_operations.items()
    )
    firing = [layer.name for layer in network.layers if layer.name in result.spikes]
    spikes = sum(float(result.spikes[name].mean()) for name in firing)
    neurons = sum(result.neurons[name] for name in firing)
    accuracy = None if labels is None else 100 * float((result.classes == labels).mean())
    origin = Provenance.read(network.provenance)
    calibration = origin.float_accuracy
    return Evaluation(
        network=network.name,
        images=len(result),
        timesteps=network.timesteps,
        input_timesteps=network.input.timesteps,
        accuracy=accuracy,
        float_accuracy=calibration,
        float_images=None if calibration is None else "calibration",
        fidelity=origin.fidelity,
        spikes_per_neuron=spikes / neurons if neurons else 0.0,
        synaptic_operations=sum(layer.synaptic_operations for layer in layers),
        macs=sum(layer.macs for layer in layers),
        layers=layers,
        warnings=tuple(origin.warnings),
    )


def print_figures(figures: Evaluation) -> None:
    """Print the figures as tables."""
    totals = figures.spikes_per_neuron, figures.synaptic_operations, figures.macs
    steps = f"T = {figures.timesteps}"
    if figures.input_timesteps != figures.timesteps:
        steps += f", input {figures.input_timesteps}"
    print_table(
        f"{figures.network}: {figures.images:,} images, {steps}",
        ("layer", "neurons", "spikes / neuron", "synaptic operations", "MACs of the CNN"),
        [*(astuple(layer) for layer in figures.layers), ("all", None, *totals)],
        footer="means per image",
    )
    if figures.classes:
        print_table(
            "accuracy by class",
            ("class", "images", "float %", "spiking %", "spiking / float %"),
            [_class_row(row) for row in figures.classes],
        )
    if figures.fidelity is not None:
        say(f"conversion: {figures.fidelity.line()}")
    if figures.accuracy is None:
        say("no accuracy: the data has no labels")
        return
    reference = ""
    if figures.float_accuracy is not None:
        images = f"{figures.float_images} images"
        reference = f"; float model {figures.float_accuracy:.2f} % on the {images}"
        if figures.float_images != "same":
            reference += " (give --model to run it on the same images)"
    say(f"accuracy {figures.accuracy:.2f} %{reference}")


def _class_row(row: ClassFigures) -> tuple[object, ...]:
    ratio = None
    if row.accuracy is not None and row.float_accuracy:
        ratio = f"{100 * row.accuracy / row.float_accuracy:.1f}"
    percentages = (row.float_accuracy, row.accuracy)
    cells = [None if value is None else f"{value:.2f}" for value in percentages]
    return row.label, row.images, *cells, ratio
