"""Warnings about what a conversion is given, and about what its figures say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch.export import ExportedProgram

from hwgen.caution import warn
from hwgen.golden import labels_outside
from hwgen.network import class_count

FEW_IMAGES = 20  # from here on an accuracy says whether the float model sees its own kind of image


def check_images(images: np.ndarray) -> None:
    """Warn of images without content: they calibrate no threshold."""
    flat = images.reshape(len(images), -1)
    constant = int((flat == flat[:, :1]).all(axis=1).sum())
    if not flat.any():
        warn("calibration images: all are black; pass training images, as the model saw them")
    elif 2 * constant >= len(images):
        warn(
            f"calibration images: {constant} of {len(images)} have the same value in every pixel; "
            f"pass training images, as the model saw them"
        )


def check_batch_norms(program: ExportedProgram) -> None:
    """Warn if no batch norm has ever seen an image."""
    states = program.state_dict
    means = [name for name in states if name.endswith("running_mean")]
    fresh = [
        name
        for name in means
        if not states[name].any()
        and bool((states.get(name.replace("running_mean", "running_var"), states[name]) == 1).all())
    ]
    if fresh and len(fresh) == len(means):
        first = fresh[0].removesuffix(".running_mean")
        warn(
            f"{first}: running_mean is 0 and running_var 1 in this and every other batch norm "
            f"({len(fresh)} in all), so none was trained; load trained weights, or run the model "
            f"in training mode on images"
        )


def check_labels(labels: np.ndarray | None, *, logits: int) -> None:
    """Warn of labels that are no classes of the model."""
    outside = None if labels is None else labels_outside(labels, class_count(logits))
    if outside is not None:
        warn(f"calibration {outside}")


def check_figures(silent: Sequence[str], hits: np.ndarray | None, *, logits: int) -> None:
    """Warn of layers that never fire, and of a float model that is no better than chance."""
    if silent:
        warn(
            f"{', '.join(silent)}: no calibration image makes a neuron fire, so later layers see "
            f"nothing; check mean, std and scale, and the model's weights"
        )
    chance = 1 / class_count(logits)
    if hits is not None and len(hits) >= FEW_IMAGES and hits.mean() <= chance:
        warn(
            f"the float model is right on {100 * hits.mean():.1f} % of the calibration images, no "
            f"better than chance ({100 * chance:.1f} %): mean, std or scale are not those of the "
            f"training, or the labels are those of other images"
        )
