"""Structure of converted networks, and degenerate networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.network import Conv2d, Identity, InverseLeakyNeuron, SoftResetNeuron
from tests.support.conversion import convert
from tests.support.float_models import Forward, firing, pixels, tiny_cnn

S = nn.Sequential


def test_timesteps_of_single_layers():
    network = convert(
        tiny_cnn(), pixels((2, 8, 8)), timesteps=6, layer_timesteps={"input": 3, "3": 11}
    )
    assert network.input.timesteps == 3
    assert [layer.neuron.timesteps for layer in firing(network)] == [6, 11]
    assert network.provenance["options"]["layer_timesteps"] == {"input": 3, "3": 11}


def test_single_phase_neurons():
    """Bias in every step, half a threshold to begin with, and an accuracy that comes with T."""
    torch.manual_seed(0)
    model = S(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(128, 10),
    ).eval()  # fmt: skip
    images = np.kron(pixels((1, 7, 7), samples=80), np.ones((1, 1, 2, 2), np.uint8))
    with torch.no_grad():
        expected = model(torch.from_numpy(images).float() / 255).numpy()
    errors = {}
    for timesteps in (4, 16):
        network = convert(model, images, timesteps=timesteps, neuron="if")
        for layer in firing(network):
            neuron = layer.neuron
            assert isinstance(neuron, SoftResetNeuron)
            assert not neuron.two_phase
            assert neuron.frac_bits == 0
            np.testing.assert_allclose(neuron.initial, neuron.threshold / 2, atol=0.5)
        first = network.layers[0]
        scale = network.provenance["output_scales"]["0"] / first.neuron.threshold
        offset = network.provenance["input_offset"][0] / 255
        bias = (model[0].bias + offset * model[0].weight.sum(dim=(1, 2, 3))).detach().numpy()
        found = first.bias * timesteps * scale
        np.testing.assert_allclose(found, bias, atol=timesteps * scale.max())
        logits = golden.run(network, images).logits * network.provenance["logit_scale"]
        errors[timesteps] = np.abs(logits - expected).mean() / expected.std()
    assert errors[16] < 0.3
    assert errors[16] < 0.6 * errors[4]


def test_rounding_offset_is_half_a_threshold():
    """A layer without bias: B is η·θ alone (ECC, Eq. 9)."""
    torch.manual_seed(0)
    model = S(nn.Flatten(), nn.Linear(18, 5, bias=False), nn.ReLU(), nn.Linear(5, 3)).eval()
    network = convert(model, pixels((2, 3, 3)), bias_correction="none")
    neuron = network.nodes[1].neuron
    assert isinstance(neuron, InverseLeakyNeuron)
    np.testing.assert_allclose(network.nodes[1].bias, neuron.threshold / 2, atol=0.5)
    assert network.provenance["eta"] == 0.5


def test_a_population_that_only_rescales_is_an_identity():
    torch.manual_seed(0)
    model = Forward(
        lambda m, x: m.fc((2 * torch.relu(m.conv(x)) - 0.2).clamp(0, 0.5).flatten(1)),
        conv=nn.Conv2d(2, 3, 3), fc=nn.Linear(108, 4),
    ).eval()  # fmt: skip
    images = pixels((2, 8, 8), samples=50)
    network = convert(model, images, timesteps=10, weight_bits=12)
    assert isinstance(network.nodes[1].projections[0], Identity)
    with torch.no_grad():
        expected = model(torch.from_numpy(images).float() / 255).numpy()
    logits = golden.run(network, images).logits * network.provenance["logit_scale"]
    np.testing.assert_allclose(logits, expected, atol=0.02 * expected.std())


def test_an_average_population_has_weights_of_one():
    model = S(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(2, 2, 2), nn.ReLU(),
        nn.Flatten(), nn.Linear(8, 3),
    ).eval()  # fmt: skip
    network = convert(model, pixels((1, 8, 8), samples=30))
    average = network["2"].projections[0]
    assert isinstance(average, Conv2d)
    assert average.groups == 2
    assert (average.weights == 1).all()


def test_provenance_and_probe():
    model, images = tiny_cnn(), pixels((2, 8, 8), samples=2500)
    with torch.no_grad():
        labels = model(torch.from_numpy(images).float() / 255).argmax(1).numpy()
    labels[::2] = (labels[::2] + 1) % 4
    network = convert(model, images, labels=labels, mean=0.0, name="tiny", timesteps=5)
    found = network.provenance
    assert network.name == "tiny"
    assert found["method"] == "spikeconverter"
    assert found["float_accuracy"] == pytest.approx(50, abs=3)
    assert found["calibration_images"] == 1000
    assert (found["scale"], found["mean"], found["std"]) == (1 / 255, [0.0], None)
    assert set(found["output_scales"]) == {"0", "3"}
    assert found["options"]["timesteps"] == 5
    spread = np.linspace(0, 2499, 1000).round().astype(int)
    picked = images[spread][np.linspace(0, 999, 8).round().astype(int)]
    np.testing.assert_array_equal(network.probe, picked)


def test_the_model_stays_as_it_is():
    model = tiny_cnn().double().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    convert(model, pixels((2, 8, 8)))
    assert model.training
    assert all(value.dtype == torch.float64 for value in model.state_dict().values())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_same_input_gives_the_same_integers():
    first, second = (convert(tiny_cnn(), pixels((2, 8, 8), samples=50)) for _ in range(2))
    for one, other in zip(first.layers, second.layers):
        np.testing.assert_array_equal(one.projections[0].weights, other.projections[0].weights)
        np.testing.assert_array_equal(one.bias, other.bias)
    assert first.provenance == second.provenance


def test_progress_names_each_layer():
    reported = []
    convert(tiny_cnn(), pixels((2, 8, 8)), progress=lambda *args: reported.append(args))
    names = ["0", "2", "3", "5", "6"]
    assert reported == [(i, 5, name) for i, name in enumerate(names)] + [(5, 5, "")]


# --- degenerate networks ------------------------------------------------------------------------


def test_a_channel_of_zeros_and_a_layer_that_never_fires():
    model, images = tiny_cnn(), pixels((2, 8, 8), samples=30)
    model[0].weight.data[1] = 0
    model[0].bias.data[1] = 0
    model[3].bias.data[:] = -1000
    network = convert(model, images)
    assert network.provenance["silent_layers"] == ["3"]
    result = golden.run(network, images, trains=True)
    assert not result.values["0"][:, 1].any()
    assert not result.values["3"].any()
    bias = model[6].bias.detach().numpy()
    logits = result.logits[0] * network.provenance["logit_scale"]
    np.testing.assert_allclose(logits, bias, atol=0.51 * network.provenance["logit_scale"])


@pytest.mark.parametrize("neuron", ["ilif", "if2"])
@pytest.mark.parametrize("value", [0, 100, 255])
def test_constant_images(neuron, value):
    model, images = tiny_cnn(), np.full((10, 2, 8, 8), value, np.uint8)
    network = convert(model, images, timesteps=8, neuron=neuron)
    with torch.no_grad():
        expected = model(torch.from_numpy(images).float() / 255).numpy()
    logits = golden.run(network, images).logits * network.provenance["logit_scale"]
    np.testing.assert_allclose(logits, expected, atol=0.3 * expected.std())


def test_a_model_of_zeros():
    model = tiny_cnn()
    for parameter in model.parameters():
        parameter.data.zero_()
    network = convert(model, pixels((2, 8, 8)))
    assert (golden.run(network, pixels((2, 8, 8))).logits == 0).all()


def test_one_image_one_class_one_neuron():
    model = S(nn.Flatten(), nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)).eval()
    network = convert(model, pixels((1, 1, 1), samples=1))
    assert (network.logits, network.classes) == (1, 2)
    assert len(network.probe) == 1


def test_images_of_four_axes_are_channels_first():
    """Not guessed at, as for files: (N, 4, 5, 3) is 4 channels here."""
    model = S(nn.Conv2d(4, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).eval()
    assert convert(model, pixels((4, 5, 3))).input.shape == (4, 5, 3)
    grey = S(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).eval()
    assert convert(grey, pixels((5, 3))).input.shape == (1, 5, 3)


def test_sixteen_bit_pixels():
    model = S(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 4)).eval()
    images = np.random.default_rng(0).integers(0, 4096, (40, 1, 8, 8)).astype(np.uint16)
    with torch.no_grad():
        expected = model(torch.from_numpy(images.astype(np.float32)) / 4095).numpy()
    # The bits of the largest pixel, or 16 of which the input takes the first 8: 4 with a value.
    for options, bits, tolerance in (
        ({}, 12, 0.02),
        ({"pixel_bits": 16, "layer_timesteps": {"input": 8}}, 16, 0.2),
    ):
        network = convert(model, images, scale=1 / 4095, timesteps=8, **options)
        assert network.input.pixel_bits == bits
        logits = golden.run(network, images).logits * network.provenance["logit_scale"]
        error = np.abs(logits - expected).max() / expected.std()
        assert error < tolerance * 4
    assert math.isfinite(error)
