"""Whole conversions: integers against the float model, value by value and by accuracy."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from examples import digits
from hwgen import golden
from hwgen.errors import DataError
from tests.support.conversion import convert
from tests.support.float_models import firing, pixels, tiny_cnn

S = nn.Sequential


def activations(model: nn.Sequential, ready: torch.Tensor) -> list[np.ndarray]:
    """Of every ReLU of the model, in order."""
    found = []
    with torch.no_grad():
        for module in model.double():
            ready = module(ready)
            if isinstance(module, nn.ReLU | nn.ReLU6):
                found.append(ready.numpy())
    model.float()
    return found


# --- value by value -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("timesteps", [6, 8, 10])
def test_activations_are_within_a_unit_of_the_float_model(seed, timesteps):
    """8 bits of a pixel are all of it; then each layer adds half a unit to what comes in.

    The bound for a later layer is rigorous: half a unit, and half a unit of each input through its
    weight. Mean and std are such that the code of the mean is exact, so it holds at the border.
    Nothing saturates.
    """
    model = tiny_cnn(seed)
    images = pixels((2, 8, 8), seed, samples=60)
    mean, std = [51 / 255, 102 / 255], [0.25, 0.5]
    network = convert(
        model, images, mean=mean, std=std, weight_bits=16, timesteps=timesteps,
        percentile=100, channel_scales=False, bias_correction="none",
    )  # fmt: skip
    assert network.nodes[0].projections[0].pad_value.tolist() == [51, 102]
    ready = (torch.from_numpy(images).double() / 255 - torch.tensor(mean).view(2, 1, 1)) / (
        torch.tensor(std).view(2, 1, 1)
    )
    expected = activations(model, ready)
    values = golden.run(network, images, trains=True).values
    scales = network.provenance["output_scales"]
    reach = 0.5
    for layer, floats, module in zip(firing(network), expected, (model[0], model[3])):
        unit = scales[layer.name]
        if layer.name == "3":
            weights = module.weight.detach().abs().sum(dim=(1, 2, 3)).max().item()
            reach = 0.5 + weights * 0.51 * scales["0"] / unit
        q_max = (1 << timesteps) - 1
        clipped = np.minimum(floats, unit * q_max)
        error = np.abs(unit * values[layer.name] - clipped) / unit
        assert error.max() <= reach + 0.05
        if layer.name == "0":
            assert error[:, :, [0, -1]].max() <= 0.55  # the border
            assert error.max() > 0.4  # it is a rounding
        assert 0.2 < (values[layer.name] > 0).mean() < 0.9


def test_without_the_pad_value_the_border_would_be_wrong():
    """The test above fails if padding is silent."""
    model, images = tiny_cnn(), pixels((2, 8, 8), samples=60)
    normalisation = {"mean": [0.5, 0.5], "std": [0.25, 0.25]}
    right, wrong = (convert(model, images, **normalisation) for _ in range(2))
    object.__setattr__(wrong.nodes[0].projections[0], "pad_value", None)
    values = [golden.run(n, images, trains=True).values["0"] for n in (right, wrong)]
    differs = (values[0] != values[1]).any(axis=(0, 1))
    assert differs[[0, -1]].all()
    assert differs[:, [0, -1]].all()
    assert not differs[1:-1, 1:-1].any()


@pytest.mark.parametrize("neuron", ["ilif", "if2"])
def test_logits_are_the_float_model_s_in_units_of_logit_scale(neuron):
    model, images = tiny_cnn(3), pixels((2, 8, 8), 3, samples=100)
    network = convert(model, images, timesteps=16, weight_bits=16, neuron=neuron)
    result = golden.run(network, images, batch=30)
    logits = result.real_logits
    np.testing.assert_array_equal(logits, result.logits * network.provenance["logit_scale"])
    with torch.no_grad():
        expected = model(torch.from_numpy(images).float() / 255).numpy()
    size = np.abs(expected - expected.mean(axis=0)).max()
    tolerance = {"ilif": 1e-3, "if2": 0.5}[neuron]  # 16 steps are 16 bits, or 16 levels
    assert np.abs(logits - expected).max() < tolerance * size


@pytest.mark.parametrize(
    ("method", "neuron", "decoder"),
    [("spikeconverter", "if2", "spike_count"), ("ttfs", "ttfs", "first_spike")],
)
def test_real_logits_of_spikes(method, neuron, decoder):
    """Spikes carry the positive logits, in steps of logit_scale."""
    model, images = tiny_cnn(3), pixels((2, 8, 8), 3, samples=100)
    network = convert(model, images, timesteps=64, neuron=neuron, decoder=decoder, method=method)
    with torch.no_grad():
        expected = model(torch.from_numpy(images).float() / 255).relu().numpy()
    assert expected.max() > 0.1
    logits = golden.run(network, images).real_logits
    np.testing.assert_allclose(logits, expected, atol=0.1 * expected.max())


def test_a_network_without_a_logit_scale_has_no_real_logits():
    images = pixels((2, 8, 8), 3, samples=10)
    network = convert(tiny_cnn(), images, neuron="if2", decoder="softmax", timesteps=4)
    assert "logit_scale" not in network.provenance
    for unknown in (network, replace(network, provenance={})):
        result = golden.run(unknown, images)
        assert result.logit_scale is None
        with pytest.raises(DataError, match="has no logit_scale, the real value of one unit of"):
            _ = result.real_logits


@pytest.mark.parametrize("bits", range(2, 17))
def test_weight_bits(bits):
    model, images = tiny_cnn(), pixels((2, 8, 8), samples=60)
    network = convert(model, images, weight_bits=bits, timesteps=12)
    largest = max(int(np.abs(p.weights).max()) for n in network.layers for p in n.projections)
    assert largest <= (1 << (bits - 1)) - 1
    assert largest >= max(1, (1 << (bits - 1)) // 2)
    logits = golden.run(network, images).logits * network.provenance["logit_scale"]
    with torch.no_grad():
        expected = model(torch.from_numpy(images).float() / 255).numpy()
    error = np.sqrt(((logits - expected) ** 2).mean()) / expected.std()
    assert error < 3 * 2.0 ** -(bits - 1)


def test_more_weight_bits_are_better():
    model, images = tiny_cnn(), pixels((2, 8, 8), samples=60)
    with torch.no_grad():
        expected = model(torch.from_numpy(images).float() / 255).numpy()
    errors = []
    for bits in (2, 4, 6, 8, 10):
        network = convert(model, images, weight_bits=bits, timesteps=16)
        logits = golden.run(network, images).logits * network.provenance["logit_scale"]
        errors.append(np.abs(logits - expected).mean())
    assert all(after < 0.6 * before for before, after in pairwise(errors))


@pytest.mark.parametrize("timesteps", [1, 2, 3])
@pytest.mark.parametrize(
    "model",
    [
        lambda: S(nn.Flatten(), nn.Linear(128, 4)),
        lambda: S(nn.Conv2d(2, 4, 8, groups=2), nn.Flatten()),
    ],
    ids=["linear", "conv"],
)
def test_pixels_that_are_cut_off_leave_no_bias(model, timesteps):
    """Uniform pixels: their low bits are half the step on average, and that is in the bias."""
    torch.manual_seed(0)
    model, images = model().eval(), pixels((2, 8, 8), samples=400)
    network = convert(model, images, timesteps=timesteps, weight_bits=12)
    logits = golden.run(network, images).logits * network.provenance["logit_scale"]
    with torch.no_grad():
        expected = model(torch.from_numpy(images).float() / 255).numpy()
    np.testing.assert_allclose(
        logits.mean(axis=0), expected.mean(axis=0), atol=0.05 * expected.std(axis=0).min()
    )
    assert np.corrcoef(logits.ravel(), expected.ravel())[0, 1] > 0.8


# --- the digits ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    train, test = digits.digits_data()
    model = digits.train(*train, epochs=15)
    floats = digits.accuracy(model, *test)
    assert floats > 96
    return model, train, test, floats


def loss(trained, **options) -> float:
    model, train, test, floats = trained
    network = convert(model, train[0], labels=train[1], **options)
    return floats - 100 * float((golden.run(network, test[0]).classes == test[1]).mean())


@pytest.mark.parametrize(
    ("options", "maximum"),
    [
        ({"timesteps": 8}, 0.3),
        ({"timesteps": 4}, 1.2),
        ({"timesteps": 3}, 2.5),
        ({"timesteps": 3, "error": "squared"}, 2.5),
        ({"timesteps": 4, "channel_scales": True}, 1.2),
        ({"timesteps": 4, "bias_correction": "mean"}, 1.2),
        ({"timesteps": 4, "percentile": 99.9}, 2.5),
        ({"timesteps": 4, "weight_bits": 4}, 2.5),
        ({"timesteps": 8, "neuron": "if2"}, 1.5),
        ({"timesteps": 4, "layer_timesteps": {"input": 8, "fc1": 2}}, 2.0),
    ],
    ids=str,
)
def test_little_accuracy_is_lost(trained, options, maximum):
    assert loss(trained, **options) <= maximum


def test_bias_correction_leaves_no_mean_error(trained):
    model, train, _, _ = trained
    sums = {}
    for kind in ("none", "mean"):
        images = train[0][:800]
        network = convert(model, images, timesteps=3, bias_correction=kind, rounding="nearest")
        with torch.no_grad():
            expected = model(torch.from_numpy(images).float() / 255).numpy()
        found = golden.run(network, images).logits * network.provenance["logit_scale"]
        sums[kind] = np.abs((found - expected).mean(axis=0)).max()
    assert sums["mean"] < 0.01
    assert sums["none"] > 10 * sums["mean"]
