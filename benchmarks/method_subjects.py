"""Trained networks that the table of methods converts, each with its data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from torch import nn

from benchmarks import cifar_models, feedback, models, threshold_relu
from hwgen.conversion.frontend.float_model import float_classes
from hwgen.datasets import Dataset

TITLES = {"mnist": "MNIST CNN", "resnet20": "CIFAR-10 ResNet-20"}


@dataclass
class Subject:
    """A trained network with its data and the options of all its conversions."""

    name: str
    model: nn.Module
    training: Dataset
    test: Dataset
    normalisation: dict[str, Any]
    layer: str  # the layer whose membrane unit is synthesised

    def float_hits(self) -> Any:
        """For each test image, whether the network classifies it right."""
        classes = float_classes(self.model, self.test.images, **self.normalisation)
        return classes == self.test.labels


def load(network: str, model: str, cache: Path | None) -> Subject:
    """``network`` in the variant ``model``: "clipped", "adjusted", or "" for the usual one.

    MNIST's networks are trained here; ``cache`` keeps their weights.
    """
    if network == "mnist":
        training, test = models.mnist()
        return Subject(
            f"mnist_{model or 'cnn'}", _mnist(model, training, cache), training, test, {}, "conv2"
        )
    training, test = cifar_models.images()
    normalisation = {"mean": cifar_models.MEAN, "std": cifar_models.STD}
    made = cifar_models.resnet20()
    return Subject("resnet20", made, training, test, normalisation, "layer2.1.conv1")


def _mnist(model: str, training: Dataset, cache: Path | None) -> nn.Module:
    if model == "clipped":
        few = training.take(threshold_relu.TRAINING)
        return threshold_relu.trained(
            threshold_relu.THRESHOLD, "max", few, cache, threshold_relu.EPOCHS
        )
    if model == "adjusted":
        quiet = Console(quiet=True)
        return feedback.trained(training, quick=False, cache=cache, console=quiet)[1]
    return models.train("cnn", training, cache=cache)
