"""Conversion to leaks k < 2: codes equal golden's, values are close to the model's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.conversion.calibration.conversion_error import conversion_error
from hwgen.conversion.calibration.known import Known
from hwgen.conversion.calibration.levels import Levels, rounding_loss
from hwgen.conversion.calibration.scales import choose_linear_scales, choose_scales, error
from hwgen.conversion.options import Options
from hwgen.conversion.quantisation import layerwise
from hwgen.golden.incremental import IncrementalRun
from hwgen.golden.two_phase import accumulate
from hwgen.network import DOUBLE, Code, InverseLeak, Readout, TrainType
from tests.support.conversion import PLAIN, convert
from tests.support.float_models import firing, pixels, tiny_cnn

S = nn.Sequential
HALF = InverseLeak(n=1, m=1)


def residual() -> nn.Module:
    """A sum that is read again before its ReLU, so that it is a linear population with a zero
    point, and convolutions whose padding is zero."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = S(nn.Conv2d(2, 6, 3, padding=1), nn.ReLU())
            self.narrow = S(nn.Conv2d(6, 3, 1), nn.BatchNorm2d(3))
            self.wide = S(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
            self.last = nn.Linear(6 * 9, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.wide(self.narrow(self.first(x))).flatten(1))

    torch.manual_seed(2)
    return Model().eval()


@pytest.mark.parametrize("options", [
    {"leak": 1.6, "timesteps": 6},
    {"leak": "1/2", "timesteps": 5, "channel_scales": True, "bias_correction": "mean"},
    {"leak": 1.9, "timesteps": 4, "rounding": "fitted", "error": "squared"},
    {"leak": 1.25, "timesteps": 9, "percentile": 99.0},
])  # fmt: skip
def test_what_the_converter_runs_is_what_golden_runs(monkeypatch, options):
    """Trains of all nodes on the calibration images, pad values and zero points among them."""
    images = pixels((2, 6, 6), samples=30)
    seen = {}
    forget = IncrementalRun.forget

    def keep(self, name):
        seen[name] = self.values(name)
        forget(self, name)

    monkeypatch.setattr(IncrementalRun, "forget", keep)
    network = convert(residual(), images, **options)
    result = golden.run(network, images, trains=True)
    assert len(seen) >= 5
    for name, words in seen.items():
        np.testing.assert_array_equal(words, result.values[name], err_msg=name)
    layers = [layer for layer in network.layers if layer.name in seen]
    assert all(0.02 < result.trains[layer.name].mean() < 0.9 for layer in layers)


def test_rounding_of_accumulation_is_made_up_for(monkeypatch):
    """What is lost on average, measured on random trains, comes with the bias of those that read
    leaky trains."""
    steps, leak = 6, InverseLeak(n=5, m=3)
    given = TrainType(shape=(1, 1, 1), code=Code.RADIX, timesteps=steps, leak=leak)
    rng = np.random.default_rng(1)
    currents = rng.integers(-50, 90, (steps, 20_000))
    exact = sum(currents[step] * leak.k ** (steps - 1 - step) for step in range(steps))
    measured = exact - accumulate(iter(currents), "radix", leak)
    assert measured.mean() == pytest.approx(rounding_loss(given), rel=0.02)
    assert rounding_loss(replace(given, leak=DOUBLE)) == 0

    def biases() -> list[np.ndarray]:
        network = convert(tiny_cnn(), pixels((2, 8, 8)), timesteps=4, leak="5/8", **PLAIN)
        return [layer.bias for layer in network.layers]

    before = biases()
    monkeypatch.setattr(
        layerwise, "rounding_loss", lambda given: rounding_loss(given) + 1000 * given.fractional
    )
    differences = [after - now for after, now in zip(biases(), before)]
    assert [(d.min(), d.max()) for d in differences] == [(0, 0), (1000, 1000), (1000, 1000)]


def test_readers_know_what_a_spike_takes(monkeypatch):
    """The level D is θ·k^(T−1) rounded down step by step: a spike is worth that much less."""
    kept = {}
    forget = Known.forget

    def keep(self, needed):
        kept.update(self.decodings)
        forget(self, needed)

    monkeypatch.setattr(Known, "forget", keep)
    network = convert(tiny_cnn(), pixels((2, 8, 8)), timesteps=7, leak="1/2", channel_scales=False)
    for layer in firing(network):
        scale = network.provenance["output_scales"][layer.name]
        for theta, found in zip(layer.neuron.threshold.tolist(), kept[layer.name].scale):
            level = theta
            for _ in range(6):
                level = level * 3 // 2
            assert found == pytest.approx(scale * level / (theta * 1.5**6), rel=1e-12)
            assert level < theta * 1.5**6


@pytest.mark.parametrize("leak", [1.6, "1/2"])
def test_logits_come_to_those_of_the_model(leak):
    """With more timesteps the closer, as with k = 2."""
    torch.manual_seed(0)
    model = S(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(128, 10),
    ).eval()  # fmt: skip
    images = np.kron(pixels((1, 7, 7), samples=80), np.ones((1, 1, 2, 2), np.uint8))
    with torch.no_grad():
        expected = model(torch.from_numpy(images).float() / 255).numpy()
    errors = {}
    for steps in (4, 8, 14):
        network = convert(
            model, images, timesteps=steps, layer_timesteps={"input": 8}, leak=leak, weight_bits=12
        )
        logits = golden.run(network, images).logits * network.provenance["logit_scale"]
        errors[steps] = np.abs(logits - expected).mean() / expected.std()
    assert errors[4] < 0.4
    assert errors[8] < 0.4 * errors[4]
    assert errors[14] < 0.5 * errors[8]
    assert errors[14] < 0.02


def test_the_leak_is_in_neurons_and_in_provenance():
    network = convert(tiny_cnn(), pixels((2, 8, 8)), timesteps=4, leak=1.6)
    leak = InverseLeak(n=77, m=7)
    assert [layer.neuron.leak for layer in firing(network)] == [leak, leak]
    assert network.provenance["leak"] == {"n": 77, "m": 7, "k": 1.6015625}
    assert network.provenance["options"]["leak"] == 1.6
    assert not network.train_types["input"].fractional
    assert isinstance(network.readout.neuron, Readout)
    assert network.readout.neuron.frac_bits > 0
    plain = convert(tiny_cnn(), pixels((2, 8, 8)), timesteps=4)
    assert "leak" not in plain.provenance
    assert plain.readout.neuron.frac_bits == 0


@pytest.mark.parametrize("eta", [0.0, 0.5])
@pytest.mark.parametrize("steps", [3, 6])
def test_scales_of_a_uniform_layer_are_those_of_eq_13(steps, eta):
    """U uniform on 0 … 1: λ is V_th·k^(1−T) of the optimiser, whose levels come another way."""
    levels = Levels.of(HALF, steps)
    sums = (torch.arange(60_000) + 0.5).reshape(60_000, 1, 1, 1) / 60_000
    options = Options(leak="1/2", timesteps=steps, eta=eta)
    scale = choose_scales(
        sums, q_max=levels.largest, high=np.inf, options=options, levels=levels.values
    )[0]
    reported = {"timesteps": steps, "k": 1.5, "eta": eta}
    tried = conversion_error(np.linspace(0.2, 0.8, 3001), **reported)
    found = conversion_error(scale * 1.5 ** (steps - 1), **reported)
    assert float(found) < 1.002 * tried.min()


def test_error_of_given_levels_by_hand():
    """Levels 0, 1, 1.5, 2.5 of T = 2, k = 3/2; λ = 2, η = 0: 1 → 0, 2.5 → 2, 4 → 3, 9 → 5."""
    sums = np.array([[1.0, 2.5, 4.0, 9.0]])
    levels = Levels.of(HALF, 2).values
    assert levels.tolist() == [0, 1, 1.5, 2.5]
    found = error(sums, sums, np.array([2.0]), 2.5, 1, eta=0.0, levels=levels)
    assert found.tolist() == [(1 + 0.5 + 1 + 4) / 4]
    # With z = 1.5, so that −3 is the lowest: −4 → −3, −1 → −1, 2.1 → 2, 1 → 0.
    sums = np.array([[-4.0, -1.0, 2.1, 1.0]])
    found = error(sums, sums, np.array([2.0]), 2.5, 1, np.array([1.5]), eta=0.0, levels=levels)
    np.testing.assert_allclose(found, (1 + 0 + 0.1 + 1) / 4)


def test_zero_points_are_levels():
    levels = Levels.of(HALF, 5)
    sums = torch.from_numpy(np.random.default_rng(1).normal(size=(400, 3, 2, 2)))
    options = Options(leak="1/2", timesteps=5, channel_scales=True)
    scales, zero = choose_linear_scales(
        sums, q_max=levels.largest, options=options, levels=levels.values
    )
    assert all(value in levels.values for value in zero)
    share = zero / levels.largest
    assert ((share > 0.2) & (share < 0.8)).all()
    assert (scales > 0).all()
