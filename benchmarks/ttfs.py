"""Time to first spike: a layer's error against u_th and t_max, Fig. 2 of the paper.

    python -m benchmarks.ttfs [--quick] [--cache FOLDER] [--json FILE]

For the first convolution of the MNIST CNN of benchmarks/models.py, on test images: the
root-mean-square difference between the decoded trains and the ReLU's output, in per cent of the
largest activation, by u_th (in units of that activation) and t_max. The last line is the u_th that
``hwgen convert --method ttfs`` finds on training images; Eq. 5's Σ W⁺ is printed below. The paper's
figure shows another layer, without numbers.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import nn

from benchmarks import models
from benchmarks.command import make_parser, write_json
from benchmarks.table import make_table
from hwgen import golden
from hwgen.conversion import convert
from hwgen.datasets import Dataset
from hwgen.network import Code

STEPS = (4, 8, 16, 32, 64)
RATIOS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.25, 1.5, 2.0)
LAYER = "conv1"
IMAGES, CALIBRATION = 200, 500
TOLERANCE = 1.05  # maximum error of the u_th found, relative to the minimum in the table


def layer_error(
    model: nn.Sequential, training: Dataset, test: Dataset, steps: int, **options: Any
) -> tuple[float, float]:
    """u_th and the error, both in units of the layer's activations."""
    network = convert(
        model, training.images, method="ttfs", timesteps=steps, calibration_images=CALIBRATION,
        **options,
    )  # fmt: skip
    scale = network.provenance["output_scales"][LAYER]
    spiking = scale * golden.run(network, test.images, trains=True).values[LAYER]
    expected = activations(model, test)
    return scale * Code("ttfs").q_max(steps), float(np.sqrt(((spiking - expected) ** 2).mean()))


def first_layer(model: nn.Sequential) -> nn.Sequential:
    """The layer, followed by the smallest possible rest of a network."""
    layers = {name: model.get_submodule(name) for name in (LAYER, "relu1")}
    rest = OrderedDict(pool=nn.MaxPool2d(28), flatten=nn.Flatten(), fc=nn.Linear(8, 10))
    return nn.Sequential(OrderedDict(layers) | rest)


def activations(model: nn.Sequential, data: Dataset) -> np.ndarray:
    with torch.inference_mode():
        values: np.ndarray = model[:2](torch.from_numpy(data.images).float() / 255).double().numpy()
    return values


def largest_voltage(model: nn.Sequential) -> float:
    """Largest Σ W⁺ of a channel, plus its bias, for pixels of 1 (Eq. 5)."""
    layer = model.get_submodule(LAYER)
    assert isinstance(layer, nn.Conv2d)
    assert layer.bias is not None
    sums = layer.weight.clamp(min=0).sum((1, 2, 3)) + layer.bias
    return float(sums.detach().max())


def measure(model: nn.Sequential, training: Dataset, test: Dataset, quick: bool) -> dict[str, Any]:
    steps_of, ratios = (STEPS[1:3], RATIOS[2::4]) if quick else (STEPS, RATIOS)
    jobs = [(steps, ratio) for steps in steps_of for ratio in (*ratios, None)]
    errors: dict[int, dict[float, float]] = {steps: {} for steps in steps_of}
    found: dict[int, tuple[float, float]] = {}
    largest = float(activations(model, training.take(1000)).max())
    for steps, ratio in track(jobs, "converting", transient=True):
        if ratio is None:
            threshold, error = layer_error(model, training, test, steps)
            found[steps] = threshold / largest, error / largest
            continue
        options = {"thresholds": "maximum", "threshold_scale": ratio}
        threshold, error = layer_error(model, training, test, steps, **options)
        errors[steps][ratio] = error / largest
    return {
        "images": len(test), "ratios": ratios, "errors": errors, "found": found,
        "largest_voltage": largest_voltage(model) / largest,
    }  # fmt: skip


def table(figures: dict[str, Any]) -> Table:
    made = make_table(
        f"{LAYER}, {figures['images']} test images: error, % of the largest activation",
        ("u_th / largest activation", *(f"t_max = {steps}" for steps in figures["errors"])),
    )
    for ratio in figures["ratios"]:
        cells = [f"{100 * errors[ratio]:.3f}" for errors in figures["errors"].values()]
        made.add_row(f"{ratio}", *cells)
    cells = [f"{100 * error:.3f} at {ratio:.2f}" for ratio, error in figures["found"].values()]
    made.add_row("found by convert", *cells)
    return made


def missed(figures: dict[str, Any]) -> list[str]:
    return [
        f"t_max = {steps}: {error:.5f} with the u_th found, {least:.5f} is possible"
        for steps, (_, error) in figures["found"].items()
        if error > TOLERANCE * (least := min(figures["errors"][steps].values()))
    ]


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="two trains, few thresholds", cache=True)
    arguments = parser.parse_args(argv)
    console = Console()
    training, test = models.mnist()
    with console.status("training the CNN, if it is not in the cache"):
        model = models.train("cnn", training, cache=arguments.cache)
    assert isinstance(model, nn.Sequential)
    figures = measure(first_layer(model), training, test.take(IMAGES), arguments.quick)
    console.print(table(figures))
    console.print(f"Eq. 5: u_th = {figures['largest_voltage']:.2f} of the largest activation")
    write_json(arguments.json, figures)
    if problems := missed(figures):
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
