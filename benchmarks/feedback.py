"""Feedback thresholds (Shang, Li, You) on MNIST: a CNN, the adjusted CNN, and the spiking one.

    python -m benchmarks.feedback [--json FILE] [--quick] [--cache FOLDER] [--timesteps 16]
                                  [--samples 1000]

Trains a CNN of the paper's form (three convolutions with LeakyReLU and biases, two max-pools, two
linear layers), adjusts it, trains the adjusted one again, converts it with method "feedback" on
training images, and runs the golden model on test images of HWGEN_DATA, which nothing else sees.
The paper uses CIFAR-10; the tables show its figures too. Trained weights are cached.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import nn

from benchmarks import models
from benchmarks.command import make_parser, write_json
from benchmarks.figures import operations_per_sample, percent_right
from benchmarks.table import make_table
from hwgen import golden
from hwgen.conversion import adjust, convert
from hwgen.conversion.frontend.float_model import float_classes
from hwgen.datasets import Dataset
from hwgen.network import Network

RATIO_TARGET = 98.0  # accuracy of the spiking network, per cent of the adjusted CNN's
IMAGES_PER_SECOND = 742.0  # what the paper assumes
# Tables I and II, and Eq. 9, of the paper, on CIFAR-10: per cent, thresholds, synapses, watts.
PAPER: dict[str, Any] = {
    "original": 80.39, "adjusted": 79.6, "spiking": 78.8, "ratio": 98.04,
    "thresholds": {"conv1": 6.8, "pool1": 0.75, "conv2": 0.1, "pool2": 0.75, "conv3": 0.1,
                   "ip1": 0.7, "ip2": 0.7},
    "synapses": 14_200_000, "watts": 3.9e-3,
}  # fmt: skip


def leaky_cnn(channels: tuple[int, int, int] = (8, 16, 32), hidden: int = 64) -> nn.Sequential:
    """CNN of the paper's Table I (conv1 … ip2), with fewer channels, for 28×28 pixels."""
    first, second, third = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, first, 3, padding=1),
            act1=nn.LeakyReLU(0.1),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(first, second, 3, padding=1),
            act2=nn.LeakyReLU(0.1),
            pool2=nn.MaxPool2d(2),
            conv3=nn.Conv2d(second, third, 3, padding=1),
            act3=nn.LeakyReLU(0.1),
            flatten=nn.Flatten(),
            ip1=nn.Linear(third * 49, hidden),
            act4=nn.LeakyReLU(0.1),
            drop=nn.Dropout(0.2),
            ip2=nn.Linear(hidden, 10),
        )
    )


ORIGINAL = models.Recipe(leaky_cnn, epochs=3, learning_rate=4e-3, weight_decay=0.05, shift=2)
RETRAINED = models.Recipe(leaky_cnn, epochs=2, learning_rate=4e-3, weight_decay=0.05, shift=2)


def trained(
    training: Dataset, *, quick: bool, cache: Path | None, console: Console
) -> tuple[nn.Module, nn.Module]:
    """(CNN, adjusted CNN), both trained."""

    def show_epochs(what: str) -> Any:
        return lambda done, of: console.print(f"{what}: epoch {done} of {of}", style="dim")

    epochs = 1 if quick else None
    torch.manual_seed(ORIGINAL.seed)
    original = models.fitted(
        leaky_cnn(), "feedback", ORIGINAL, training, cache=cache, epochs=epochs,
        progress=show_epochs("the CNN"),
    )  # fmt: skip
    adjusted, changes = adjust(original)
    for change in changes:
        console.print(f"  {change}", style="dim")
    digest = hashlib.sha256()
    for value in adjusted.state_dict().values():
        digest.update(value.numpy().tobytes())
    torch.manual_seed(RETRAINED.seed)
    again = models.fitted(
        adjusted, f"feedback-adjusted-{digest.hexdigest()[:8]}", RETRAINED, training, cache=cache,
        epochs=epochs, progress=show_epochs("the adjusted CNN"),
    )  # fmt: skip
    return original, again


def accuracies(found: np.ndarray, labels: np.ndarray) -> list[float]:
    """Accuracy in per cent over all images, then by class."""
    rows = golden.per_class(found, labels, count=10)
    return [percent_right(found, labels), *(row.accuracy or 0.0 for row in rows)]


def measured(
    network: Network, start: Network, original: nn.Module, adjusted: nn.Module, test: Dataset
) -> dict[str, Any]:
    """Accuracies in per cent, all and by class; synapses, operations and power.

    ``start`` is the network with the initial thresholds of the search.
    """
    assert test.labels is not None
    labels = test.labels
    result = golden.run(network, test.images)
    operations = operations_per_sample(result)
    synapses = golden.synapse_count(network)
    found = {
        "original": accuracies(float_classes(original, test.images), labels),
        "adjusted": accuracies(float_classes(adjusted, test.images), labels),
        "start": accuracies(golden.classify(start, test.images), labels),
        "spiking": accuracies(result.classes, labels),
    }
    return {
        "samples": len(test),
        "timesteps": network.input.timesteps,
        "accuracies": found,
        "ratio": 100 * found["spiking"][0] / found["adjusted"][0],
        "spikes_per_neuron": {
            name: result.spikes_per_neuron(name) for name in result.spikes if name != "flatten"
        },
        "synapses": synapses,
        "synaptic_operations": operations,
        "images_per_second": IMAGES_PER_SECOND,
        "watts": golden.power_estimate(synapses, IMAGES_PER_SECOND),
        "watts_of_spikes": golden.power_estimate(operations, IMAGES_PER_SECOND),
        "search": network.provenance["feedback"],
    }


def show(figures: dict[str, Any], console: Console) -> None:
    found, search = figures["accuracies"], figures["search"]
    table = make_table(
        f"MNIST, {figures['samples']:,} test images, T = {figures['timesteps']}",
        ("class", "CNN %", "adjusted %", "start %", "spiking %", "spiking / adjusted %"),
    )
    rows = zip(found["original"], found["adjusted"], found["start"], found["spiking"])
    for number, (cnn, adjusted, start, spiking) in enumerate(rows):
        name = str(number - 1) if number else "all"
        values = (cnn, adjusted, start, spiking, 100 * spiking / adjusted)
        cells = (f"{value:.2f}" for value in values)
        table.add_row(name, *cells, end_section=not number)
    paper = [f"{PAPER[key]:.2f}" for key in ("original", "adjusted", "spiking")]
    # The paper's last column is a mean over classes of ratios to the unadjusted CNN.
    table.add_section()
    paper.insert(2, "")
    table.add_row("paper, CIFAR-10", *paper, f"{100 * PAPER['spiking'] / PAPER['adjusted']:.2f}")
    console.print(table)
    table = make_table(
        "thresholds, in weights",
        ("layer", "found", "paper", "octaves moved", "spikes / neuron", "correlation"),
        left=("layer",),
    )
    for name, threshold in search["thresholds"].items():
        table.add_row(
            name,
            f"{threshold:.3f}",
            f"{PAPER['thresholds'][name]:g}",
            f"{search['octaves'][name]:+.2f}",
            f"{figures['spikes_per_neuron'][name]:.2f}",
            f"{search['consistency'][name]:.3f}",
        )
    console.print(table)
    console.print(
        f"search: {search['networks_tried']} networks on {search['images']} training images, "
        f"{search['rounds']} rounds; right spikes {100 * search['right_spikes_before']:.1f} → "
        f"{100 * search['right_spikes']:.1f} %, accuracy {search['accuracy_before']:.1f} → "
        f"{search['accuracy']:.1f} %"
    )
    console.print(
        f"power at {figures['images_per_second']:.0f} images/s and 0.37 pJ, an estimate (Eq. 9): "
        f"{figures['synapses']:,} synapses, {1e3 * figures['watts']:.3f} mW; "
        f"{figures['synaptic_operations']:,.0f} synaptic operations an image, "
        f"{1e3 * figures['watts_of_spikes']:.3f} mW (paper: {PAPER['synapses']:,} synapses, "
        f"{1e3 * PAPER['watts']:.1f} mW)"
    )


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="one epoch each, 200 test images", cache=True, samples=1000)
    parser.add_argument("--timesteps", type=int, default=16)
    parser.add_argument("--search-images", type=int, default=128)
    options = parser.parse_args(argv)
    console, started = Console(), time.monotonic()
    training, test = models.mnist()
    if options.quick:
        training = training.take(12_000)
    original, adjusted = trained(
        training, quick=options.quick, cache=options.cache, console=console
    )
    given = {"labels": training.labels, "method": "feedback", "timesteps": options.timesteps,
             "name": "mnist_feedback"}  # fmt: skip
    start = convert(adjusted, training.images, search_rounds=0, **given)
    network = convert(
        adjusted, training.images, search_images=options.search_images,
        progress=lambda done, of, name: console.print(f"{done} of {of}: {name}", style="dim"),
        **given,
    )  # fmt: skip
    searched = time.monotonic()
    test = test.take(200 if options.quick else options.samples)
    figures = measured(network, start, original, adjusted, test)
    show(figures, console)
    reached = "reached" if figures["ratio"] >= RATIO_TARGET else "missed"
    console.print(f"spiking / adjusted {figures['ratio']:.2f} %, target {RATIO_TARGET} % {reached}")
    ended = time.monotonic()
    console.print(
        f"{searched - started:.0f} s to train and convert, {ended - searched:.0f} s to run"
    )
    write_json(options.json, figures)


if __name__ == "__main__":
    main()
