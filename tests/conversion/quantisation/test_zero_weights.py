"""Layers, and channels, whose weights are 0 or next to nothing: their biases remain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from tests.support.conversion import convert
from tests.support.float_models import pixels

IMAGES = pixels((2, 4, 4), samples=12)
KINDS: dict[str, dict[str, Any]] = {
    "ilif": {},
    "k = 1.6": {"leak": 1.6},
    "if2": {"neuron": "if2", "timesteps": 15},
    "ttfs": {"method": "ttfs", "timesteps": 15},
    "if": {"neuron": "if", "timesteps": 15},
    "fitted": {"rounding": "fitted"},
}


def model() -> Any:
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 5)
    ).eval()


def logits(made: nn.Module, **options: Any) -> np.ndarray:
    return golden.run(convert(made, IMAGES, **options), IMAGES).logits


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("weight", "size"), [(0.0, 1e-6), (1e-25, 1e6)])
def test_the_last_layer_keeps_the_order_of_its_biases(
    kind: str, weight: float, size: float
) -> None:
    made = model()
    made[5].weight.data = weight * torch.sign(made[5].weight.data)
    made[5].bias.data = size * torch.tensor([0.1, 0.2, 0.3, 0.9, 0.4])
    found = logits(made, **KINDS[kind])
    assert (np.argsort(found, axis=1) == [0, 1, 2, 4, 3]).all()
    assert (np.diff(np.sort(found, axis=1), axis=1) > 0).all()


def test_a_softmax_draws_the_class_of_the_largest_bias() -> None:
    """A spike in each of 30 steps; in all after a few, the evidence for class 3 is far ahead."""
    made = model()
    made[5].weight.data.zero_()
    made[5].bias.data = torch.tensor([0.1, 0.2, 0.3, 5.0, 0.4])
    found = logits(made, neuron="if2", decoder="softmax", timesteps=30)
    assert (found.argmax(axis=1) == 3).all()
    assert (found[:, 3] > 24).all()


@pytest.mark.parametrize("kind", ["ilif", "k = 1.6", "fitted"])
def test_a_class_without_weights_is_compared_with_the_others(kind: str) -> None:
    """Its bias lies between the logits of two other classes, so it wins on some images only."""
    made = model()
    made[5].weight.data[2] = 0
    made[5].weight.data[[0, 1, 3, 4]] *= 20
    x = torch.from_numpy(IMAGES).float() / 255
    others = made(x).detach()[:, [0, 1, 3, 4]].amax(dim=1)
    made[5].bias.data[2] = others.median() + 1e-3
    expected = made(x).argmax(dim=1).numpy()
    assert 0 < (expected == 2).sum() < 12
    far = (others - made[5].bias.data[2]).abs().numpy() > 0.1 * float(others.std())
    found = logits(made, **KINDS[kind]).argmax(axis=1)
    assert far.sum() >= 6
    assert (found == expected)[far].all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_hidden_layer_without_weights_sends_its_biases(kind: str) -> None:
    """The last layer copies; a step is 1/15 of the largest bias, and less where k is 1.6 or 2."""
    made = model()
    made[3].weight.data.zero_()
    made[3].bias.data = torch.tensor([-1.0, 0.2, 0.4, 0.8, 0.6])
    made[5].weight.data = torch.eye(5)
    made[5].bias.data.zero_()
    found = logits(made, **KINDS[kind]).astype(float)
    share = found / found.max(axis=1, keepdims=True)
    wanted = np.array([0, 0.25, 0.5, 1, 0.75])
    assert np.abs(share - wanted).max() < 0.05
