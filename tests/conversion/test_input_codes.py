"""Conversion with direct input (constant currents) and with address events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.errors import ConversionError, DataError
from hwgen.network import Conv2d
from tests.support.conversion import convert
from tests.support.float_models import firing, pixels

STEPS = 32


def model(channels: int = 1) -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(96, 10), nn.ReLU(), nn.Linear(10, 4),
    ).eval()  # fmt: skip


def images() -> np.ndarray:
    return np.kron(pixels((1, 4, 4), samples=24), np.ones((1, 1, 2, 2), np.uint8))


def frames(steps: int = STEPS) -> np.ndarray:
    """Events at random, some pixels busier than others."""
    rng = np.random.default_rng(1)
    rates = np.kron(rng.random((24, 1, 2, 4, 4)), np.ones((2, 2)))
    return (rng.random((24, steps, 2, 8, 8)) < rates).astype(np.uint8)


def activation(pixels: torch.Tensor, channels: int) -> np.ndarray:
    with torch.no_grad():
        return model(channels)[:2](pixels).numpy()


def represented(network: Any, samples: np.ndarray) -> np.ndarray:
    """Activations represented by the trains of the first layer."""
    name = network.layers[0].name
    values = golden.run(network, samples, trains=True).values[name]
    scale = np.reshape(network.provenance["output_scales"][name], (-1, 1, 1))
    return np.asarray(values * scale)


@pytest.mark.parametrize("scaling", [{}, {"mean": 0.4, "std": 0.5}])
@pytest.mark.parametrize("method", ["threshold_relu", "weight_norm", "rmp", "threshold_balancing"])
def test_direct_input_is_the_pixel_in_every_step(method: str, scaling: dict[str, float]) -> None:
    """The error is at most one output step, so the input loses nothing.

    Hard resets discard the excess over the threshold and have no such bound.
    """
    network = convert(
        model(), images(), method=method, timesteps=STEPS, input_code="direct", weight_bits=12,
        **scaling,
    )  # fmt: skip
    assert (network.input.code, network.input.timesteps) == ("direct", STEPS)
    pixels = torch.from_numpy(images()).float() / 255
    if scaling:
        pixels = (pixels - scaling["mean"]) / scaling["std"]
        projection = network.layers[0].projections[0]
        assert isinstance(projection, Conv2d)
        assert projection.pad_value is not None
        assert projection.pad_value.tolist() == [102]  # 0.4 · 255
    if method == "threshold_balancing":
        return
    scale = network.provenance["output_scales"][network.layers[0].name]
    expected = np.minimum(activation(pixels, 1), scale * STEPS)
    assert np.abs(represented(network, images()) - expected).max() < 1.02 * scale


def test_thresholds_by_the_largest_current_of_direct_input_are_the_largest_activation() -> None:
    """The current is the same in every step, and the activation itself."""
    network = convert(
        model(), images(), method="rmp", threshold_scale=1.0, timesteps=STEPS, input_code="direct"
    )
    largest = float(activation(torch.from_numpy(images()).float() / 255, 1).max())
    scale = network.provenance["output_scales"][network.layers[0].name]
    assert scale * STEPS == pytest.approx(largest, rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "threshold_relu"},
        {"method": "spikeconverter", "neuron": "if2"},
        {"method": "spikeconverter", "timesteps": 6, "layer_timesteps": {"input": STEPS}},
    ],
)
def test_events_represent_a_share_of_the_timesteps(options: dict[str, Any]) -> None:
    options = {"timesteps": STEPS, "weight_bits": 12, **options}
    network = convert(model(2), frames(), **options)
    assert (network.input.code, network.input.timesteps, network.input.pixel_bits) == (
        "events", STEPS, 1,
    )  # fmt: skip
    assert network.probe is not None
    assert network.probe.shape == (8, STEPS, 2, 8, 8)
    assert network.provenance["scale"] == 1 / STEPS
    expected = activation(torch.from_numpy(frames().mean(axis=1)).float(), 2)
    error = np.abs(represented(network, frames()) - expected)
    scale = network.provenance["output_scales"][network.layers[0].name]
    assert error.mean() < 0.8 * np.mean(scale)
    assert {layer.neuron.two_phase for layer in firing(network)} == {
        options["method"] == "spikeconverter"
    }


@pytest.mark.parametrize(
    ("images_or_frames", "options", "message"),
    [
        (images(), {"input_code": "direct"}, "code 'direct' is not .*a constant current"),
        (images(), {"input_code": "radix", "neuron": "if"}, "code 'radix' is not .*fires as"),
        (images(), {"input_code": "morse"}, "unknown input_code 'morse'; available: radix, rate"),
        (images(), {"input_code": "events"}, "'events' goes with frames"),
        (frames(8), {"input_code": "direct", "neuron": "if"}, "here is 'direct' with shape"),
        (
            images(), {"input_code": "rate", "layer_timesteps": {"input": 2000}},
            "timesteps of 'input' must be an integer from 1 to 1024",
        ),
    ],
)  # fmt: skip
def test_codes_that_do_not_fit_are_rejected(
    images_or_frames: np.ndarray, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConversionError, match=message):
        convert(model(images_or_frames.shape[-3]), images_or_frames, timesteps=8, **options)


@pytest.mark.parametrize(
    ("images_or_frames", "message"),
    [
        (frames(8) * 2, "contain the value 2, but must be 0 or 1"),
        (frames(8) * 0.5, "contain the value 0.5, but must be 0 or 1"),
        (frames(7), "have 7 timesteps, but the input has 8; split the events into 8"),
    ],
)
def test_invalid_frames_are_rejected(images_or_frames: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        convert(model(2), images_or_frames, timesteps=8)
