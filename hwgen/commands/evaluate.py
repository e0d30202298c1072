"""``hwgen evaluate``: accuracy and activity of a network, compared with the float model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hwgen.commands.evaluation import ClassFigures, Evaluation, print_figures, summarise
from hwgen.commands.options import COUNT, DATA, PATH, TRUST, TRUST_TEXT, json_option, option
from hwgen.commands.output import print_json, progress
from hwgen.commands.terminal import note

if TYPE_CHECKING:
    import numpy as np
    from torch import nn
    from torch.export import ExportedProgram

    from hwgen.datasets import Dataset
    from hwgen.network import Network


@click.command("evaluate", short_help="Accuracy, spikes and operations of a network.")
@click.argument("network", type=PATH)
@option("--data", PATH, DATA, required=True)
@option("--samples", COUNT, "Number of images to run; by default all.")
@option("--model", str, "Float model to compare with: file.py:factory, or a .pt2 file.")
@option("--weights", PATH, "Weights of the float model.")
@option(TRUST, bool, TRUST_TEXT, is_flag=True)
@option("--per-class", bool, "Also print the accuracy of each class.", is_flag=True)
@json_option("the figures")
def command(
    network: Path,
    data: Path,
    samples: int | None,
    model: str | None,
    weights: Path | None,
    trust_model: bool,
    per_class: bool,
    as_json: bool,
) -> None:
    """Run the golden model of NETWORK, a network folder or a build folder, on images.

    The command prints the accuracy, next to the float model's, and the spikes and synaptic
    operations of each layer. It keeps the figures in NETWORK/evaluation.json, for `hwgen report`.
    """
    from hwgen import artefact, datasets, golden
    from hwgen.artefact.claim import clean
    from hwgen.artefact.manifest_head import is_build_folder
    from hwgen.caution import warn
    from hwgen.golden.images import check_images

    clean(network)
    floating = None
    if model is not None:
        from hwgen.conversion import load_model

        floating = load_model(model, weights, trust_model=trust_model)
    loaded = artefact.load(network / "network" if is_build_folder(network) else network)
    dataset = datasets.load(
        data,
        split="test",
        timesteps=loaded.input.timesteps,
        shape=loaded.input.shape,
        samples=samples,
    )
    dataset = replace(dataset, images=check_images(loaded, dataset.images))
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
    if model is not None and floating is not None:
        accuracy = None
        if dataset.labels is not None:
            floats = _float_classes(loaded, floating, dataset, name=model)
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
    from hwgen.errors import StorageError

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
    except StorageError as error:
        note(f"the figures are not kept for `hwgen report`: {error}")


def _float_classes(
    network: Network, model: nn.Module | ExportedProgram, dataset: Dataset, *, name: str
) -> np.ndarray:
    """Classes that the float model finds, with the pixel scaling of the conversion."""
    import numpy as np

    from hwgen.conversion import Provenance
    from hwgen.conversion.frontend.float_model import float_classes
    from hwgen.network import InputCode

    origin = Provenance.read(network.provenance)
    images = dataset.images
    if network.input.code is InputCode.EVENTS:  # the model was trained on counts
        images = images.sum(axis=1, dtype=np.uint16)
    with progress(f"running the float model {name}") as show:
        return float_classes(
            model,
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
