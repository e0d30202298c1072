"""Conversions whose input is a constant current, or address events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.conversion import convert
from hwgen.errors import ConversionError, DataError
from hwgen.network import Conv2d
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


def activation(given: torch.Tensor, channels: int) -> np.ndarray:
    with torch.no_grad():
        return model(channels)[:2](given).numpy()


def reached(network: Any, samples: np.ndarray) -> np.ndarray:
    """What the first layer's trains represent."""
    name = network.layers[0].name
    values = golden.run(network, samples, trains=True).values[name]
    scale = network.provenance["output_scales"][name]
    return values * scale


@pytest.mark.parametrize("fed", [{}, {"mean": 0.4, "std": 0.5}])
@pytest.mark.parametrize("method", ["threshold_relu", "weight_norm", "rmp", "threshold_balancing"])
def test_direct_input_is_the_pixel_in_every_step(method: str, fed: dict[str, float]) -> None:
    """Rounded down or to the nearest, one step of output from the activation at most: nothing is
    lost on the way in. Hard resets lose what is above the threshold, and have no such bound."""
    network = convert(
        model(), images(), method=method, timesteps=STEPS, input_code="direct", weight_bits=12,
        **fed,
    )  # fmt: skip
    assert (network.input.code, network.input.timesteps) == ("direct", STEPS)
    given = torch.from_numpy(images()).float() / 255
    if fed:
        given = (given - fed["mean"]) / fed["std"]
        projection = network.layers[0].projections[0]
        assert isinstance(projection, Conv2d)
        assert projection.pad_value is not None
        assert projection.pad_value.tolist() == [102]  # 0.4 · 255
    if method == "threshold_balancing":
        return
    scale = network.provenance["output_scales"][network.layers[0].name]
    wanted = np.minimum(activation(given, 1), scale * STEPS)
    assert np.abs(reached(network, images()) - wanted).max() < 1.02 * scale


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
def test_events_are_worth_a_share_of_their_timesteps(options: dict[str, Any]) -> None:
    options = {"timesteps": STEPS, "weight_bits": 12, **options}
    network = convert(model(2), frames(), **options)
    assert (network.input.code, network.input.timesteps, network.input.pixel_bits) == (
        "events", STEPS, 1,
    )  # fmt: skip
    assert network.probe is not None
    assert network.probe.shape == (8, STEPS, 2, 8, 8)
    assert network.provenance["scale"] == 1 / STEPS
    wanted = activation(torch.from_numpy(frames().mean(axis=1)).float(), 2)
    error = np.abs(reached(network, frames()) - wanted)
    scale = network.provenance["output_scales"][network.layers[0].name]
    assert error.mean() < 0.8 * scale
    assert {layer.neuron.two_phase for layer in firing(network)} == {
        options["method"] == "spikeconverter"
    }


@pytest.mark.parametrize(
    ("given", "options", "message"),
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
def test_codes_that_do_not_fit_are_refused(
    given: np.ndarray, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConversionError, match=message):
        convert(model(given.shape[-3]), given, timesteps=8, **options)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (frames(8) * 2, "must be 0 and 1, unsigned"),
        (frames(8).astype(np.float32), "must be 0 and 1, unsigned, and not empty, not float32"),
        (frames(7), "have 7 timesteps, but the input has 8; split the events into 8"),
    ],
)
def test_frames_that_are_none_are_refused(given: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        convert(model(2), given, timesteps=8)
