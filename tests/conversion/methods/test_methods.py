"""Conversion methods of the rate code: thresholds, resets, and initial membranes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.conversion import METHODS, ThresholdRule
from hwgen.errors import ConversionError
from hwgen.golden.incremental import IncrementalRun
from hwgen.golden.single_phase import integrate
from hwgen.network import (
    HardResetNeuron,
    InverseLeakyNeuron,
    Layer,
    Linear,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)
from tests.support.conversion import convert
from tests.support.float_models import firing, pixels

STEPS = 12
KINDS = {
    "ilif": InverseLeakyNeuron,
    "if2": SoftResetNeuron,
    "if": SoftResetNeuron,
    "if_hard": HardResetNeuron,
    "ttfs": TimeToFirstSpikeNeuron,
}


def model() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(54, 10), nn.ReLU(),
        nn.Linear(10, 4),
    ).eval()  # fmt: skip


def images() -> np.ndarray:
    return np.kron(pixels((1, 4, 4), samples=24), np.ones((1, 1, 2, 2), np.uint8))


def labels() -> np.ndarray:
    return activations(7).argmax(1).numpy()


def activations(upto: int) -> torch.Tensor:
    with torch.no_grad():
        return model()[:upto](torch.from_numpy(images()).float() / 255)


@pytest.mark.parametrize("name", METHODS)
def test_each_method_converts_with_each_of_its_neurons(name: str) -> None:
    for neuron in METHODS[name].neurons:
        network = convert(
            model(), images(), labels=labels(), method=name, neuron=neuron, timesteps=STEPS
        )
        assert {type(layer.neuron) for layer in firing(network)} == {KINDS[neuron]}
        assert {layer.neuron.code for layer in firing(network)} == {neuron.code}
        assert network.provenance["method"] == name
        assert network.provenance["options"]["neuron"] == neuron
        assert len(golden.run(network, images()).classes) == 24


def test_the_first_neuron_is_the_usual_one() -> None:
    network = convert(model(), images(), method="threshold_balancing", timesteps=4)
    assert network.provenance["options"]["neuron"] == "if_hard"


def test_a_neuron_of_another_method_is_rejected() -> None:
    with pytest.raises(ConversionError, match="one of ttfs for method 'ttfs', not 'ilif'"):
        convert(model(), images(), method="ttfs", neuron="ilif")


@pytest.mark.parametrize("name", ["ecc", "weight_norm", "threshold_relu"])
def test_a_spike_in_every_step_is_the_largest_activation(name: str) -> None:
    network = convert(model(), images(), method=name, timesteps=STEPS)
    scales = network.provenance["output_scales"]
    assert scales["0"] * STEPS == pytest.approx(float(activations(2).max()), rel=1e-6)
    assert scales["4"] * STEPS == pytest.approx(float(activations(6).max()), rel=1e-6)


def test_or_a_percentile_of_them() -> None:
    network = convert(model(), images(), method="weight_norm", percentile=90.0, timesteps=STEPS)
    positive = activations(2).numpy()
    expected = np.percentile(positive[positive > 0], 90)
    assert network.provenance["output_scales"]["0"] * STEPS == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "eta"), [("ecc", 0.5), ("threshold_relu", 0.5), ("weight_norm", 0.0), ("rmp", 0.0)]
)
def test_where_membranes_start(name: str, eta: float) -> None:
    network = convert(model(), images(), method=name, timesteps=STEPS)
    assert network.provenance["eta"] == eta
    for layer in firing(network):
        np.testing.assert_allclose(layer.neuron.initial, eta * layer.neuron.threshold, atol=0.5)


@pytest.mark.parametrize("timesteps", [1, 5, 16])
def test_a_start_at_half_the_threshold_is_the_shift_of_threshold_relu(timesteps: int) -> None:
    """Deng and Gu add V_thr / 2T in every timestep. For currents that stay, the spikes are as many:
    ⌊T·I / V_thr + 1/2⌋, from 0 to T. In fractions, beside golden's neuron."""
    threshold = 24
    currents = np.arange(-30, 40)
    neuron = SoftResetNeuron(
        threshold=np.full(70, threshold), timesteps=timesteps, two_phase=False,
        initial=np.full(70, threshold // 2),
    )  # fmt: skip
    linear = Linear(source="input", weights=np.ones((70, 1), np.int32))
    layer = Layer(name="n", projections=(linear,), bias=np.zeros(70, np.int64), neuron=neuron)
    train, _ = integrate([currents] * timesteps, layer)
    shift = Fraction(threshold, 2 * timesteps)
    for current, spikes in zip(currents.tolist(), train.sum(axis=0).tolist()):
        membrane, shifted = Fraction(0), 0
        for _ in range(timesteps):
            membrane += current + shift
            if membrane >= threshold:
                membrane -= threshold
                shifted += 1
        assert spikes == shifted
        assert spikes == min(max((2 * timesteps * current + threshold) // 48, 0), timesteps)


def test_thresholds_balanced_by_the_largest_current() -> None:
    """Of the first layer: spikes of the pixels, a plain accumulator of each, in every timestep."""
    network = convert(model(), images(), method="threshold_balancing", timesteps=STEPS)
    conv = model()[0]
    accumulator = np.full(images().shape, 128)
    decoded = {
        key: np.array(network.provenance[key]) / 255 for key in ("input_scale", "input_offset")
    }
    largest = 0.0
    for _ in range(STEPS):
        accumulator += images()
        spikes, accumulator = accumulator >= 256, accumulator % 256
        value = spikes * STEPS * decoded["input_scale"] + decoded["input_offset"]
        with torch.no_grad():
            largest = max(largest, float(conv(torch.from_numpy(value).float()).max()))
    scale = network.provenance["output_scales"]["0"] * STEPS
    assert scale == pytest.approx(largest, rel=1e-5)
    assert scale > 1.02 * float(activations(2).max())  # spikes meet


@pytest.mark.parametrize("factor", [0.8, 0.9])
def test_rmp_scales_balanced_thresholds(factor: float) -> None:
    options = {"method": "rmp", "timesteps": STEPS}
    whole = convert(model(), images(), threshold_scale=1.0, **options)
    scaled = convert(model(), images(), threshold_scale=factor, **options)
    usual = convert(model(), images(), **options)
    first = [network.provenance["output_scales"]["0"] for network in (whole, scaled, usual)]
    assert first[1] == pytest.approx(factor * first[0])
    assert first[2] == pytest.approx(0.8 * first[0])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"input_code": "poisson", "input_seed": 9},
        {"floor": -0.1},
        {"drive": 0.05},
    ],
)
def test_currents_of_later_layers_are_those_of_the_spikes_that_come(options: dict) -> None:
    """Golden's trains of the pool, through the float weights of the layer after it."""
    network = convert(model(), images(), method="rmp", timesteps=STEPS, **options)
    trains = golden.run(network, images(), trains=True).trains["3"]  # flattened
    scale = network.provenance["output_scales"]["0"] * STEPS
    layer = model()[4]
    with torch.no_grad():
        currents = layer(torch.from_numpy(trains[..., 0, 0].astype(np.float32)) * scale)
    expected = 0.8 * float(currents.max())
    assert network.provenance["output_scales"]["4"] * STEPS == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"neuron": "if_hard"}, {"input_code": "direct"}])
def test_trains_that_currents_are_taken_from_are_those_of_golden(monkeypatch, options) -> None:
    """Includes pad values: the normalised black is not 0 here, and all layers have biases."""
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 5, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(45, 4),
    ).eval()  # fmt: skip
    images, seen = pixels((2, 6, 6), samples=20), {}
    forget = IncrementalRun.forget

    def keep(self: IncrementalRun, name: str) -> None:
        seen[name] = self.train(name)
        forget(self, name)

    monkeypatch.setattr(IncrementalRun, "forget", keep)
    neuron = options.get("neuron", "if")
    network = convert(
        model, images, mean=[0.4, 0.6], std=0.3, timesteps=16, thresholds="current",
        method="rmp" if neuron == "if" else "threshold_balancing", **options,
    )  # fmt: skip
    result = golden.run(network, images, trains=True)
    firing_layers = firing(network)
    assert len(firing_layers) == 2
    for layer in firing_layers:
        train = result.trains[layer.name].transpose(1, 0, 2, 3, 4)
        assert 0.02 < train.mean() < 0.9
        np.testing.assert_array_equal(seen[layer.name], train, err_msg=layer.name)


def test_thresholds_of_one_leave_the_weights_as_they_are() -> None:
    """A spike in every timestep represents an activation of 1, in every layer."""
    network = convert(model(), images(), method="ecc", timesteps=STEPS, thresholds="one")
    scales = network.provenance["output_scales"]
    assert list(scales.values()) == pytest.approx([1 / STEPS] * 2)


def test_thresholds_balanced_by_the_currents_of_a_poisson_input() -> None:
    """A spike represents 256·16 / 8 a pixel, whose trains are golden's."""
    network = convert(
        model(), images(), method="threshold_balancing", timesteps=STEPS, input_code="poisson",
        input_gain=8, input_seed=3,
    )  # fmt: skip
    assert network.provenance["input_scale"] == [512 / STEPS]
    trains = golden.run(network, images(), trains=True).trains["input"]
    largest = 0.0
    for step in range(STEPS):
        with torch.no_grad():
            value = torch.from_numpy(trains[:, step].astype(np.float32)) * 512 / 255
            largest = max(largest, float(model()[0](value).max()))
    assert network.provenance["output_scales"]["0"] * STEPS == pytest.approx(largest, rel=1e-5)


@pytest.mark.parametrize("neuron", ["ilif", "if2", "if"])
def test_a_poisson_input_comes_to_the_pixels(neuron: str) -> None:
    """Over many steps the logits are those of the CNN, scaling and all."""
    scaling = {"mean": 0.3, "std": 0.5}
    x = (torch.from_numpy(images()).float() / 255 - 0.3) / 0.5
    with torch.no_grad():
        expected = model()(x).numpy()
    errors = {}
    for timesteps in (16, 800):
        steps = {"timesteps": timesteps}
        if neuron == "ilif":
            steps = {"timesteps": 8, "layer_timesteps": {"input": timesteps}}
        network = convert(
            model(),
            images(),
            neuron=neuron,
            input_code="poisson",
            weight_bits=12,
            **steps,
            **scaling,
        )
        assert network.input.code == "poisson"
        logits = golden.run(network, images()).logits * network.provenance["logit_scale"]
        errors[timesteps] = np.abs(logits - expected).mean() / expected.std()
    assert errors[800] < 0.25
    assert errors[800] < 0.5 * errors[16]


def test_floors_and_leaks_are_shares_of_thresholds() -> None:
    options = {"method": "weight_norm", "timesteps": STEPS}
    plain = convert(model(), images(), **options)
    network = convert(model(), images(), floor=-0.5, drive=-0.125, **options)
    for layer, before in zip(firing(network), firing(plain)):
        threshold = layer.neuron.threshold
        assert before.neuron.floor is None
        np.testing.assert_allclose(layer.neuron.floor, -threshold / 2, atol=0.5)
        np.testing.assert_allclose(layer.bias - before.bias, -threshold / 8, atol=0.5)


@pytest.mark.parametrize("name", ["ecc", "weight_norm", "threshold_relu"])
def test_rates_come_to_the_activations(name: str) -> None:
    errors = {}
    for timesteps in (8, 64):
        network = convert(model(), images(), method=name, timesteps=timesteps, weight_bits=10)
        values = golden.run(network, images(), trains=True).values["4"][..., 0, 0]
        reached = values * network.provenance["output_scales"]["4"]
        errors[timesteps] = float(np.abs(reached - activations(6).numpy()).mean())
    assert errors[64] < 0.35 * errors[8]


def test_thresholds_of_currents_need_neurons_that_fire_as_they_integrate() -> None:
    assert list(ThresholdRule)[-1] == "current"
    with pytest.raises(ConversionError, match="'current' needs a neuron that fires as it"):
        convert(model(), images(), thresholds="current")
