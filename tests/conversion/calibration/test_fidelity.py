"""Fidelity of a converted network to its float model, against PyTorch and numbers by hand."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.conversion.calibration.fidelity import weakest
from hwgen.conversion.float_graph import FloatFlatten, FloatGraph, FloatIdentity, Population
from hwgen.conversion.provenance import Fidelity
from hwgen.errors import ConversionError, HwgenWarning
from tests.support.conversion import convert
from tests.support.float_models import pixels, tiny_cnn

SPARE = slice(1, None, 2)  # held out when every second image is for calibration


def images() -> np.ndarray:
    return pixels((2, 8, 8), samples=40)


def decibels(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10((wanted**2).sum() / ((wanted - found) ** 2).sum()))


@pytest.mark.parametrize("options", [{}, {"channel_scales": False}, {"neuron": "if2"}])
def test_ratios_are_those_of_pytorch_and_golden(options: dict[str, Any]) -> None:
    model = tiny_cnn()
    network = convert(model, images()[::2], timesteps=5, **options)
    fidelity = network.provenance["fidelity"]
    assert (fidelity["images"], fidelity["held_out"]) == (20, False)
    with torch.no_grad():
        ready = torch.from_numpy(images()[::2]).float() / 255
        first = model[:2](ready).numpy().astype(np.float64)
        logits = model(ready).numpy().astype(np.float64)
    result = golden.run(network, images()[::2], trains=True)
    scale = np.reshape(network.provenance["output_scales"]["0"], (-1, 1, 1))
    assert fidelity["layers"]["0"] == pytest.approx(
        decibels(first, result.values["0"] * scale), abs=0.01
    )
    same = 100 * (result.classes == logits.argmax(axis=1)).mean()
    assert fidelity["agreement"] == pytest.approx(same)
    one, other = (x - x.mean(axis=1, keepdims=True) for x in (logits, result.logits))
    unit = np.linalg.lstsq(other.reshape(-1, 1), one.reshape(-1), rcond=None)[0][0]
    assert fidelity["signal_to_error"] == pytest.approx(decibels(one, unit * other), abs=0.01)


def test_images_of_the_calibration_are_not_those_measured() -> None:
    network = convert(tiny_cnn(), images(), timesteps=5, calibration_images=20)
    fidelity = network.provenance["fidelity"]
    assert (fidelity["images"], fidelity["held_out"]) == (20, True)


def test_linear_and_leaky_layers_are_decoded() -> None:
    """A zero point, or levels that are no multiples of λ: many timesteps come close all the same.

    Without either, the ratio is about 0 dB.
    """
    torch.manual_seed(1)
    linear = nn.Sequential(
        nn.Conv2d(2, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(128, 4),
    ).eval()  # fmt: skip
    layers = convert(linear, images(), timesteps=8).provenance["fidelity"]["layers"]
    assert layers["2"] > 30
    layers = convert(tiny_cnn(), images(), timesteps=8, leak=1.6).provenance["fidelity"]["layers"]
    assert min(layers.values()) > 20


def test_more_timesteps_come_closer() -> None:
    ratios = [
        convert(tiny_cnn(), images(), timesteps=steps).provenance["fidelity"]["signal_to_error"]
        for steps in (2, 4, 8)
    ]
    assert ratios == sorted(ratios)
    assert ratios[2] - ratios[1] > 12  # four bits more are 24 dB of rounding; weights have 8 bits


def test_a_silent_layer_has_no_ratio() -> None:
    model = tiny_cnn()
    with torch.no_grad():
        model[3].weight.zero_()
        model[3].bias.fill_(-1)
    layers = convert(model, images(), timesteps=4).provenance["fidelity"]["layers"]
    assert list(layers) == ["0"]


def test_a_poor_conversion_is_told_with_the_layer() -> None:
    """Two bits of weights in the second layer ruin it; the first has exact ones."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
        nn.Linear(64, 10, bias=False),
    ).eval()  # fmt: skip
    with torch.no_grad():
        model[1].weight.copy_(model[1].weight.sign() * 0.05)
        model[5].weight.copy_(model[5].weight.sign() * 0.05)
    with pytest.warns(HwgenWarning) as seen:
        network = convert(model, images(), timesteps=8, weight_bits=2, rounding="nearest")
    (message,) = network.provenance["warnings"]
    assert [str(item.message) for item in seen] == [message]
    assert re.fullmatch(
        r"the conversion is poor: \d\d\.\d % of the classes are those of the float model on 40 "
        r"calibration images; logits have -?\d+\.\d dB of signal to error; layer '3' adds most "
        r"error: give it more timesteps, or more weight bits to all",
        message,
    )
    with pytest.raises(ConversionError, match="the conversion is poor"):
        convert(model, images(), timesteps=8, weight_bits=2, rounding="nearest", strict=True)
    close = convert(model, images(), timesteps=8, weight_bits=8, strict=True)
    assert "warnings" not in close.provenance


def population(name: str, *sources: str) -> Population:
    one = np.ones(1)
    projections = tuple(FloatIdentity(source=source, weights=one) for source in sources)
    return Population(name=name, projections=projections, bias=0 * one)


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ((40.0, 30.0, 12.0, 10.0), "c"),  # error / signal: .0001, .001, .063, .1
        ((10.0, 9.9, 9.8, 9.7), "a"),
        ((40.0, 30.0, 20.0, 10.0), "d"),
    ],
)
def test_the_weakest_layer_adds_most_error(ratios: tuple[float, ...], expected: str) -> None:
    """a → b → flat → c, and d joins a and c."""
    graph = FloatGraph(
        input_shape=(1, 1, 1),
        nodes=(
            population("a", "input"), population("b", "a"), FloatFlatten(name="flat", source="b"),
            population("c", "flat"), population("d", "a", "c"),
        ),
    )  # fmt: skip
    layers = dict(zip("abcd", ratios))
    fidelity = Fidelity(images=1, held_out=True, agreement=50.0, signal_to_error=5.0, layers=layers)
    assert weakest(fidelity, graph) == expected
