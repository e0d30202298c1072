"""``hwgen evaluate``: accuracy and activity of a network, beside the float model's accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwgen.commands.output import print_json, print_table, progress

if TYPE_CHECKING:
    import numpy as np

    from hwgen.datasets import Dataset
    from hwgen.golden import Result
    from hwgen.network import Network


@click.command("evaluate", short_help="Accuracy, spikes and operations of a network.")
@click.argument("network", type=click.Path(path_type=Path))
@click.option("--data", required=True, type=click.Path(path_type=Path), help=".npz or idx folder.")
@click.option("--samples", type=click.IntRange(min=1), help="Take only the first ones.")
@click.option("--model", help="The float model, file.py:factory or .pt2, to compare with.")
@click.option("--weights", type=click.Path(path_type=Path), help="Weights of the float model.")
@click.option("--per-class", is_flag=True, help="Accuracies by class, too.")
@click.option("--json", "as_json", is_flag=True, help="Print figures as JSON.")
def command(
    network: Path,
    data: Path,
    samples: int | None,
    model: str | None,
    weights: Path | None,
    per_class: bool,
    as_json: bool,
) -> None:
    """Run the golden model of the folder NETWORK on images.

    Gives the accuracy beside the float model's, spikes and synaptic operations of each layer.
    """
    from hwgen import artefact, datasets, golden

    loaded = artefact.load(network)
    dataset = datasets.load(
        data,
        split="test" if data.is_dir() else None,
        timesteps=loaded.input.timesteps,
        shape=loaded.input.shape,
        samples=samples,
    )
    with progress(f"evaluating {network} on {len(dataset):,} images") as told:
        result = golden.run(
            loaded,
            dataset.images,
            progress=lambda done: told(f"evaluating: {done:,} of {len(dataset):,} images"),
        )
    figures = summarise(loaded, result, dataset.labels)
    floats = None
    if model is not None:
        floats = None if dataset.labels is None else _float_classes(loaded, model, weights, dataset)
        figures["float_accuracy"] = (
            None if floats is None else 100 * float((floats == dataset.labels).mean())
        )
        figures["float_images"] = "same"
    if per_class and dataset.labels is not None:
        figures["classes"] = _by_class(loaded, result.classes, floats, dataset.labels)
    if as_json:
        print_json(figures)
        return
    print_figures(figures)


def _float_classes(
    network: Network, model: str, weights: Path | None, dataset: Dataset
) -> np.ndarray:
    """Classes that the float model gives, with the scaling of the conversion."""
    import numpy as np

    from hwgen.conversion import Provenance, load_model
    from hwgen.conversion.frontend.float_model import float_classes

    origin = Provenance.read(network.provenance)
    images = dataset.images
    if network.input.code == "events":  # the model was trained on counts
        images = images.sum(axis=1, dtype=np.uint16)
    with progress(f"running the float model {model}") as told:
        return float_classes(
            load_model(model, weights),
            images,
            scale=origin.scale,
            mean=origin.mean,
            std=origin.std,
            progress=lambda done: told(f"float model: {done:,} of {len(dataset):,} images"),
        )


def _by_class(
    network: Network, classes: np.ndarray, floats: np.ndarray | None, labels: np.ndarray
) -> list[dict[str, Any]]:
    """Accuracies in per cent, of the float model, too, where it was run."""
    from hwgen.golden import per_class

    count = network.classes
    rows = per_class(classes, labels, count=count)
    beside = [None] * count if floats is None else per_class(floats, labels, count=count)
    return [
        {
            "class": row.label,
            "images": row.images,
            "correct": row.correct,
            "accuracy": row.accuracy,
            "float_accuracy": None if other is None else other.accuracy,
        }
        for row, other in zip(rows, beside)
    ]


def summarise(network: Network, result: Result, labels: np.ndarray | None) -> dict[str, Any]:
    """Plain figures of a run; accuracies in per cent, counts for one image."""
    from hwgen.conversion import Provenance

    layers = [
        {
            "layer": name,
            "neurons": result.neurons.get(name),
            "spikes_per_neuron": result.spikes_per_neuron(name) if name in result.spikes else None,
            "synaptic_operations": float(operations.mean()),
            "mac_operations": int(result.mac_operations[name]),
        }
        for name, operations in result.synaptic_operations.items()
    ]
    firing = [layer.name for layer in network.layers if layer.name in result.spikes]
    spikes = sum(float(result.spikes[name].mean()) for name in firing)
    neurons = sum(result.neurons[name] for name in firing)
    accuracy = None
    if labels is not None:
        accuracy = 100 * float((result.classes == labels).mean())
    calibration = Provenance.read(network.provenance).float_accuracy
    return {
        "network": network.name,
        "images": len(result),
        "timesteps": network.input.timesteps,
        "accuracy": accuracy,
        "float_accuracy": calibration,
        "float_images": None if calibration is None else "calibration",
        "spikes_per_neuron": spikes / neurons if neurons else 0.0,
        "synaptic_operations": sum(layer["synaptic_operations"] for layer in layers),
        "mac_operations": sum(layer["mac_operations"] for layer in layers),
        "layers": layers,
    }


def print_figures(figures: dict[str, Any]) -> None:
    """The figures of :func:`summarise` as tables."""
    print_table(
        f"{figures['network']}: {figures['images']:,} images, T = {figures['timesteps']}",
        ("layer", "neurons", "spikes / neuron", "synaptic operations", "MACs of the CNN"),
        [
            *(
                (
                    layer["layer"],
                    layer["neurons"],
                    layer["spikes_per_neuron"],
                    layer["synaptic_operations"],
                    layer["mac_operations"],
                )
                for layer in figures["layers"]
            ),
            (
                "all",
                None,
                figures["spikes_per_neuron"],
                figures["synaptic_operations"],
                figures["mac_operations"],
            ),
        ],
        footer="for one image",
    )
    if "classes" in figures:
        print_table(
            "accuracy by class",
            ("class", "images", "float %", "spiking %", "spiking / float %"),
            [_class_row(row) for row in figures["classes"]],
        )
    accuracy, reference = figures["accuracy"], figures["float_accuracy"]
    if accuracy is None:
        click.echo("no accuracy: the data has no labels")
        return
    beside = ""
    if reference is not None:
        beside = f"; float model {reference:.2f} % on the {figures['float_images']} images"
        if figures["float_images"] != "same":
            beside += " (give --model for the same ones)"
    click.echo(f"accuracy {accuracy:.2f} %{beside}")


def _class_row(row: dict[str, Any]) -> tuple[object, ...]:
    found, reference = row["accuracy"], row["float_accuracy"]
    ratio = None if found is None or not reference else f"{100 * found / reference:.1f}"
    cells = [None if value is None else f"{value:.2f}" for value in (reference, found)]
    return row["class"], row["images"], *cells, ratio
