"""Accuracy by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.errors import DataError


@dataclass(frozen=True, kw_only=True)
class ClassAccuracy:
    """Of the ``images`` that are of class ``label``, ``correct`` were found to be."""

    label: int
    images: int
    correct: int

    @property
    def accuracy(self) -> float | None:
        """Per cent; None where there is no image of the class."""
        return 100 * self.correct / self.images if self.images else None


def per_class(classes: np.ndarray, labels: np.ndarray, *, count: int) -> tuple[ClassAccuracy, ...]:
    """The accuracy of each class 0 … ``count`` − 1 (feedback thresholds, Table II).

    Parameters
    ----------
    classes : integer array, shape (N,)
        What was found, as in :class:`hwgen.golden.Result`.
    labels : integer array, shape (N,)
        What is right.
    count : int
        Classes of the network.

    Raises
    ------
    DataError
        A label is no class of the network, or there is not one for each image.
    """
    if labels.shape != classes.shape:
        raise DataError(f"{labels.size} labels do not fit {classes.size} images")
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < count:
        raise DataError(
            f"labels reach from {labels.min()} to {labels.max()}, but the network has the classes "
            f"0 … {count - 1}; give data of the same classes"
        )
    images = np.bincount(labels, minlength=count)
    correct = np.bincount(labels[classes == labels], minlength=count)
    return tuple(
        ClassAccuracy(label=label, images=int(images[label]), correct=int(correct[label]))
        for label in range(count)
    )
