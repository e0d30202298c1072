"""Logits of each output decoder against the float model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.conversion.quantisation.decoders import softmax_of
from hwgen.errors import ConversionError
from tests.support.conversion import convert
from tests.support.float_models import pixels

IMAGES = pixels((1, 3, 3), samples=60)


def model(gain: float = 1.0, offset: float = 0.0) -> nn.Sequential:
    """Its logits are ``gain`` times those of the plain one, and ``offset``."""
    torch.manual_seed(11)
    made = nn.Sequential(nn.Flatten(), nn.Linear(9, 12), nn.ReLU(), nn.Linear(12, 5)).eval()
    with torch.no_grad():
        made[3].weight *= gain
        made[3].bias.mul_(gain).add_(offset)
    return made


def logits(of: nn.Module) -> np.ndarray:
    with torch.no_grad():
        return of(torch.from_numpy(IMAGES).float() / 255).double().numpy()


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize(("gain", "temperature"), [(0.2, 1.0), (12.0, 128.0), (12.0, 32.0)])
def test_softmax_draws_from_that_of_the_float_logits(gain: float, temperature: float) -> None:
    """In timestep t from softmax(t·z / temperature): rates over T = 128 are their mean."""
    steps = 128
    made = model(gain)
    network = convert(
        made, IMAGES, method="ecc", decoder="softmax", timesteps=steps, temperature=temperature,
        weight_bits=10,
    )  # fmt: skip
    rates = golden.run(network, IMAGES).logits / steps
    z = logits(made)
    expected = np.mean([softmax(t * z / temperature) for t in range(1, steps + 1)], axis=0)
    assert np.abs(rates - expected).mean() < 0.025
    assert np.abs(expected - 0.2).mean() > 0.08  # far from uniform
    for other in (2 * z, z / 2):
        wrong = np.mean([softmax(t * other / temperature) for t in range(1, steps + 1)], axis=0)
        assert np.abs(rates - wrong).mean() > 1.5 * np.abs(rates - expected).mean()


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 0.02, 5.0])
def test_a_table_reaches_to_nothing_in_256_steps_as_fine_as_can_be(scale: float) -> None:
    """A step of the table is 2^shift membranes of ``scale``·T / temperature each."""
    neuron, step = softmax_of(scale, 16, 4.0)
    assert step == pytest.approx(scale * 4 * 2**neuron.shift)
    assert neuron.table[-1] == 0
    assert neuron.shift == 0 or len(neuron.table) > 128
    index = min(3, len(neuron.table) - 1)
    assert neuron.table[index] == pytest.approx(65535 * np.exp(-index * step), abs=0.5)


def test_counts_are_those_of_the_positive_logits() -> None:
    steps = 64
    network = convert(model(), IMAGES, neuron="if2", decoder="spike_count", timesteps=steps)
    counts = golden.run(network, IMAGES).logits
    scale = network.provenance["output_scales"]["3"]
    expected = np.maximum(logits(model()), 0)
    assert np.abs(counts * scale - expected).max() < 0.1 * expected.max()


def test_first_spikes_come_sooner_the_larger_the_logit() -> None:
    network = convert(model(), IMAGES, method="ttfs", decoder="first_spike", timesteps=100)
    result = golden.run(network, IMAGES)
    positive = np.maximum(logits(model()), 0)
    scale = network.provenance["output_scales"]["3"]
    assert np.abs(result.logits * scale - positive).max() < 0.1 * positive.max()
    ranked = np.sort(positive, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > 0.1 * positive.max()
    assert clear.sum() > 20
    np.testing.assert_array_equal(result.classes[clear], positive.argmax(axis=1)[clear])


@pytest.mark.parametrize(
    ("method", "decoder"), [("ttfs", "first_spike"), ("rmp", "spike_count"), ("ecc", "spike_count")]
)
def test_classes_that_are_all_silent_are_the_first(method: str, decoder: str) -> None:
    made = model(offset=-100.0)
    network = convert(made, IMAGES, method=method, decoder=decoder, timesteps=8)
    result = golden.run(network, IMAGES)
    assert not result.logits.any()
    assert not result.classes.any()
    assert len(set(logits(made).argmax(axis=1))) > 1


def test_classes_have_one_scale_even_where_channels_have_their_own() -> None:
    network = convert(
        model(), IMAGES, neuron="if2", decoder="spike_count", channel_scales=True, timesteps=16
    )
    scales = network.provenance["output_scales"]
    assert len(set(scales["1"])) > 1
    assert len(set(scales["3"])) == 1


def test_the_last_layer_may_have_its_own_timesteps_only_where_it_fires() -> None:
    options = {"neuron": "if2", "timesteps": 16, "layer_timesteps": {"3": 5}}
    network = convert(model(), IMAGES, decoder="spike_count", **options)
    assert golden.run(network, IMAGES).logits.max() <= 5
    with pytest.raises(ConversionError, match="timesteps are given for 3, but the network has"):
        convert(model(), IMAGES, **options)


def test_a_softmax_has_the_timesteps_of_the_layer_before_it() -> None:
    network = convert(
        model(), IMAGES, neuron="if2", decoder="softmax", timesteps=16, layer_timesteps={"1": 9}
    )
    assert network.readout.neuron.timesteps == 9
    assert golden.run(network, IMAGES).logits.max() <= 9


def test_a_layer_may_be_called_decoder() -> None:
    made = nn.Sequential()
    for name, module in zip(("flat", "one", "relu", "decoder"), model(), strict=True):
        made.add_module(name, module)
    network = convert(made, IMAGES, neuron="if2", decoder="spike_count", timesteps=4)
    assert [node.name for node in network] == ["flat", "one", "decoder", "decoder_"]


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        (
            {"decoder": "vote"},
            "unknown decoder 'vote'; available: membrane, spike_count, first_spike, softmax",
        ),
        (
            {"input_code": "morse"},
            "unknown input_code 'morse'; available: radix, rate, ttfs, poisson, ",
        ),
        ({"temperature": 0}, "temperature must be a number above 0, up to 1e6, not 0"),
        (
            {"neuron": "if2", "input_code": "radix", "timesteps": 17},
            "timesteps of 'input' must be an integer from 1 to 16, not 17",
        ),
    ],
)
def test_wrong_options_are_rejected(options: dict, reported: str) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(model(), IMAGES, **options)
    assert reported in str(caught.value)
