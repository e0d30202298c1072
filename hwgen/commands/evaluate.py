"""``hwgen evaluate``: accuracy and activity of a network, compared with the float model."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwgen.commands.options import COUNT, DATA, PATH, json_option, option
from hwgen.commands.output import note, print_json, print_table, progress

if TYPE_CHECKING:
    import numpy as np

    from hwgen.conversion.provenance import Fidelity
    from hwgen.datasets import Dataset
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


@click.command("evaluate", short_help="Accuracy, spikes and operations of a network.")
@click.argument("network", type=PATH)
@option("--data", PATH, DATA, required=True)
@option("--samples", COUNT, "Number of images to run; by default all.")
@option("--model", str, "Float model to compare with: file.py:factory, or a .pt2 file.")
@option("--weights", PATH, "Weights of the float model.")
@option("--per-class", bool, "Also print the accuracy of each class.", is_flag=True)
@json_option("the figures")
def command(
    network: Path,
    data: Path,
    samples: int | None,
    model: str | None,
    weights: Path | None,
    per_class: bool,
    as_json: bool,
) -> None:
    """Run the golden model of NETWORK, a network folder or a build folder, on images.

    The command prints the accuracy, next to the float model's, and the spikes and synaptic
    operations of each layer. It keeps the figures in NETWORK/evaluation.json, for `hwgen report`.
    """
    from hwgen import artefact, datasets, golden
    from hwgen.artefact.build_folder import is_build_folder
    from hwgen.caution import warn

    loaded = artefact.load(network / "network" if is_build_folder(network) else network)
    dataset = datasets.load(
        data,
        split="test" if data.is_dir() else None,
        timesteps=loaded.input.timesteps,
        shape=loaded.input.shape,
        samples=samples,
    )
    total = f"{len(dataset):,} images"
    with progress(f"evaluating {network} on {total}") as show:
        result = golden.run(
            loaded, dataset.images, progress=lambda done: show(f"evaluating: {done:,} of {total}")
        )
    if dataset.labels is not None and (
        outside := golden.labels_outside(dataset.labels, loaded.classes)
    ):
        warn(outside)
    figures = summarise(loaded, result, dataset.labels)
    for text in figures.warnings:
        note(f"warning of the conversion: {text}")
    floats = None
    if model is not None:
        accuracy = None
        if dataset.labels is not None:
            floats = _float_classes(loaded, model, weights, dataset)
            accuracy = 100 * float((floats == dataset.labels).mean())
        figures = replace(figures, float_accuracy=accuracy, float_images="same")
    if per_class and dataset.labels is not None:
        classes = _by_class(loaded, result.classes, floats, dataset.labels)
        figures = replace(figures, classes=classes)
    keep(figures, loaded, network, data=data.name)
    if as_json:
        print_json(figures.to_json())
    else:
        print_figures(figures)


def keep(figures: Evaluation, network: Network, folder: Path, *, data: str) -> None:
    """Write the figures of ``network`` on ``data`` into ``folder``, for its report."""
    from hwgen.artefact import content_hash
    from hwgen.artefact.evaluation_file import EvaluationFile

    kept = EvaluationFile(
        network_hash=content_hash(network),
        data=data,
        images=figures.images,
        accuracy=figures.accuracy,
        float_accuracy=figures.float_accuracy,
        float_images=figures.float_images,
        spikes_per_neuron=figures.spikes_per_neuron,
        synaptic_operations=figures.synaptic_operations,
        macs=figures.macs,
    )
    try:
        kept.write(folder)
    except OSError as error:
        note(f"the figures are not kept for `hwgen report`: {error}")


def _float_classes(
    network: Network, model: str, weights: Path | None, dataset: Dataset
) -> np.ndarray:
    """Classes that the float model finds, with the pixel scaling of the conversion."""
    import numpy as np

    from hwgen.conversion import Provenance, load_model
    from hwgen.conversion.frontend.float_model import float_classes
    from hwgen.network import InputCode

    origin = Provenance.read(network.provenance)
    images = dataset.images
    if network.input.code is InputCode.EVENTS:  # the model was trained on counts
        images = images.sum(axis=1, dtype=np.uint16)
    with progress(f"running the float model {model}") as show:
        return float_classes(
            load_model(model, weights),
            images,
            scale=origin.scale,
            mean=origin.mean,
            std=origin.std,
            progress=lambda done: show(f"float model: {done:,} of {len(dataset):,} images"),
        )


def _by_class(
    network: Network, classes: np.ndarray, floats: np.ndarray | None, labels: np.ndarray
) -> tuple[ClassFigures, ...]:
    from hwgen.golden import per_class

    count = network.classes
    rows = per_class(classes, labels, count=count)
    references = [None] * count if floats is None else per_class(floats, labels, count=count)
    return tuple(
        ClassFigures(
            label=row.label,
            images=row.images,
            correct=row.correct,
            accuracy=row.accuracy,
            float_accuracy=None if reference is None else reference.accuracy,
        )
        for row, reference in zip(rows, references, strict=True)
    )


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
        click.echo(f"conversion: {figures.fidelity.line()}")
    if figures.accuracy is None:
        click.echo("no accuracy: the data has no labels")
        return
    reference = ""
    if figures.float_accuracy is not None:
        images = f"{figures.float_images} images"
        reference = f"; float model {figures.float_accuracy:.2f} % on the {images}"
        if figures.float_images != "same":
            reference += " (give --model to run it on the same images)"
    click.echo(f"accuracy {figures.accuracy:.2f} %{reference}")


def _class_row(row: ClassFigures) -> tuple[object, ...]:
    ratio = None
    if row.accuracy is not None and row.float_accuracy:
        ratio = f"{100 * row.accuracy / row.float_accuracy:.1f}"
    percentages = (row.float_accuracy, row.accuracy)
    cells = [None if value is None else f"{value:.2f}" for value in percentages]
    return row.label, row.images, *cells, ratio
