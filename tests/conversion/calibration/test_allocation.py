"""Timesteps of each layer for a given mean: losses by hand, and the best of all allocations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.conversion import Options
from hwgen.conversion.calibration.allocation import allocate
from hwgen.conversion.calibration.sensitivity import Sensitivity
from hwgen.errors import ConversionError
from tests.support.conversion import PLAIN, convert
from tests.support.float_models import fused, pixels, populations, tiny_cnn

SHAPE = (2, 8, 8)


def one_layer() -> nn.Sequential:
    """Logits x and −x of a pixel x, by way of a layer "1"."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 2))
    model[1].weight.data, model[3].weight.data = torch.ones(1, 1), torch.tensor([[1.0], [-1.0]])
    for layer in (model[1], model[3]):
        layer.bias.data.zero_()
    return model.eval()


def losses_of(values: list[int], **options: object) -> list[float]:
    graph = fused(one_layer(), (1, 1, 1), scale=1.0)
    images = np.array(values, dtype=np.uint8).reshape(-1, 1, 1, 1)
    chosen = Options(**PLAIN | {"thresholds": "maximum", **options})
    return Sensitivity(graph, images, chosen).losses(populations(graph)[0], [1, 2])


def test_losses_by_hand() -> None:
    """λ = 3 / q_max. One step makes 0, 0, 0, 3 of 0, 1, 1, 3: (1 + 1) / (1 + 1 + 9)."""
    assert losses_of([0, 1, 1, 3]) == pytest.approx([2 / 11, 0])


def test_a_corrected_mean_costs_nothing() -> None:
    """The error 0, −1, −1, 0 without its mean has four squares of 1/4."""
    for options in ({"bias_correction": "mean"}, {"rounding": "fitted"}):
        assert losses_of([0, 1, 1, 3], **options) == pytest.approx([1 / 11, 0])


def test_a_loss_ignores_what_all_logits_share() -> None:
    """Logits x and x: their difference is 0, whatever the timesteps."""
    model = one_layer()
    model[3].weight.data = torch.tensor([[1.0], [1.0]])
    model[3].bias.data = torch.tensor([1.0, -1.0])
    graph = fused(model, (1, 1, 1), scale=1.0)
    images = np.array([0, 1, 1, 3], dtype=np.uint8).reshape(-1, 1, 1, 1)
    losses = Sensitivity(graph, images, Options(thresholds="maximum")).losses("1", [1])
    assert losses == pytest.approx([0])


def test_a_change_goes_through_all_later_layers() -> None:
    """0, 1, 1, 3 less 1/2 in a second layer: 0, 0, 0, 5/2 instead of 0, 1/2, 1/2, 5/2."""
    model = nn.Sequential(*one_layer()[:3], nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 2))
    model[3].weight.data, model[3].bias.data = torch.ones(1, 1), torch.full((1,), -0.5)
    model[5].weight.data, model[5].bias.data = torch.tensor([[1.0], [-1.0]]), torch.zeros(2)
    graph = fused(model.eval(), (1, 1, 1), scale=1.0)
    images = np.array([0, 1, 1, 3], dtype=np.uint8).reshape(-1, 1, 1, 1)
    options = Options(**PLAIN, thresholds="maximum")
    losses = Sensitivity(graph, images, options).losses("1", [1])
    assert losses == pytest.approx([0.5 / 6.75])


def test_a_timestep_more_divides_the_loss_by_about_four() -> None:
    graph = fused(tiny_cnn(), SHAPE)
    losses = Sensitivity(graph, pixels(SHAPE, samples=40), Options()).losses("0", range(3, 9))
    ratios = np.array(losses[:-1]) / losses[1:]
    assert 2.5 < ratios.min() <= ratios.max() < 6


def test_the_allocation_is_the_best_of_all() -> None:
    rng = np.random.default_rng(0)
    for budget in range(4, 17):
        losses = {name: rng.random(4).tolist() for name in "abcd"}
        best = min(
            sum(row[steps - 1] for row, steps in zip(losses.values(), every))
            for every in itertools.product(range(1, 5), repeat=4)
            if sum(every) <= budget
        )
        chosen = allocate(losses, budget)
        assert chosen.keys() == losses.keys()
        assert sum(chosen.values()) <= budget
        assert sum(losses[name][steps - 1] for name, steps in chosen.items()) == pytest.approx(best)


def test_the_network_has_the_chosen_timesteps() -> None:
    """Layer "3" hardly reaches the logits, so that "0" gets the timesteps: 4 + 1 of 2·2.5."""
    model, images = tiny_cnn(), pixels(SHAPE, samples=40)
    model[3].weight.data *= 1e-3
    model[3].bias.data = torch.tensor([1.0, 0.5, 1.5, 0.7, 0.2, 0.9])
    told: list[str] = []
    network = convert(
        model,
        images,
        mean_timesteps=2.5,
        progress=lambda *state: told.append(state[2]),
    )
    chosen = network.provenance["chosen_timesteps"]
    assert sum(chosen.values()) == 5
    assert {name: network[name].neuron.timesteps for name in chosen} == chosen
    assert network.input.timesteps == 8  # one for each bit of a pixel
    assert network.provenance["options"]["mean_timesteps"] == 2.5
    assert [line for line in told if line.startswith("timesteps")] == [
        f"timesteps 0={chosen['0']}, 3={chosen['3']}"
    ]
    same = convert(model, images, rounding="fitted", layer_timesteps=chosen)
    assert np.array_equal(golden.classify(network, images), golden.classify(same, images))


def test_given_timesteps_are_kept_and_count() -> None:
    images = pixels(SHAPE, samples=40)
    network = convert(tiny_cnn(), images, mean_timesteps=3, layer_timesteps={"0": 4, "input": 8})
    assert network.provenance["chosen_timesteps"] == {"0": 4, "3": 2}
    expected = r"mean_timesteps 3 leaves 0 timesteps for 1 layers besides \{'0': 6\}"
    with pytest.raises(ConversionError, match=expected):
        convert(tiny_cnn(), images, mean_timesteps=3, layer_timesteps={"0": 6})
