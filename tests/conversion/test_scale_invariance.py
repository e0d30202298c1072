"""A layer times c and the next one divided by c: the same function, so the same integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen import golden
from hwgen.conversion import Finetuning
from hwgen.network import Network, ThresholdNeuron
from tests.support.conversion import convert, keep_training
from tests.support.float_models import Forward, pixels

IMAGES = pixels((2, 8, 8), samples=24)


def multiply(layers: Sequence[Any], factors: torch.Tensor) -> None:
    """Multiply output channels of ``layers``."""
    for layer in layers:
        layer.weight.data *= factors.view(-1, *(1,) * (layer.weight.ndim - 1))
        layer.bias.data *= factors


def divide(layer: Any, factors: torch.Tensor) -> None:
    """Divide the weights of each input channel of ``layer``."""
    if isinstance(layer, nn.Linear):
        layer.weight.data /= factors.repeat_interleave(layer.in_features // len(factors))
    elif layer.groups > 1:  # depthwise
        layer.weight.data /= factors.view(-1, 1, 1, 1)
    else:
        layer.weight.data /= factors.view(1, -1, 1, 1)


def plain(first: torch.Tensor, second: torch.Tensor) -> nn.Module:
    """Convolution, max-pool, depthwise convolution, average, two linear layers."""
    torch.manual_seed(3)
    m = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 3),
    ).eval()  # fmt: skip
    multiply([m[0]], first)
    divide(m[3], first)
    multiply([m[3]], second)
    divide(m[7], second)
    return m


def residual(first: torch.Tensor, second: torch.Tensor) -> nn.Module:
    """A block around an identity, and one around a bottleneck without a ReLU."""
    torch.manual_seed(4)

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(m.stem(x))
        x = F.relu(m.b(F.relu(m.a(x))) + x)
        low = m.narrow(x)
        x = F.relu(m.wide(low)) + F.relu(m.other(low))
        return m.fc(x.mean((2, 3)))  # type: ignore[no-any-return]

    m = Forward(
        forward,
        stem=nn.Conv2d(2, 4, 3, padding=1), a=nn.Conv2d(4, 3, 3, padding=1),
        b=nn.Conv2d(3, 4, 3, padding=1), narrow=nn.Conv2d(4, 4, 1),
        wide=nn.Conv2d(4, 6, 3, stride=2), other=nn.Conv2d(4, 6, 3, stride=2),
        fc=nn.Linear(6, 3),
    ).eval()  # fmt: skip
    multiply([m.stem, m.b], first)
    divide(m.a, first)
    divide(m.narrow, first)
    multiply([m.narrow], second)
    divide(m.wide, second)
    divide(m.other, second)
    return m


def integers(network: Network) -> Iterator[np.ndarray]:
    for layer in network.layers:
        yield layer.bias
        yield from (projection.weights for projection in layer.projections)
        if isinstance(layer.neuron, ThresholdNeuron):
            yield layer.neuron.threshold
            yield np.array(getattr(layer.neuron, "threshold_frac_bits", 0))


def same(one: Network, other: Network) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(integers(one), integers(other), strict=True))


def uniform(factor: float) -> torch.Tensor:
    return torch.full((4,), float(factor))


OPTIONS: dict[str, tuple[Callable[..., nn.Module], dict[str, Any]]] = {
    "plain": (plain, {}),
    "residual": (residual, {}),
    "long trains": (plain, {"timesteps": 16}),
    "fitted": (residual, {"rounding": "fitted", "error": "squared", "bias_correction": "mean"}),
    "k = 1.6": (residual, {"leak": 1.6, "timesteps": 5}),
    "if2": (plain, {"neuron": "if2"}),
    "ttfs": (plain, {"method": "ttfs"}),
    "if": (plain, {"neuron": "if", "timesteps": 16}),
    "rmp": (plain, {"method": "rmp", "timesteps": 16}),
    "percentile": (plain, {"percentile": 99.0}),
    "counts": (plain, {"neuron": "if2", "decoder": "spike_count"}),
    "fine-tuned": (residual, {"timesteps": 3, "finetuning": Finetuning(epochs=1, batch=8)}),
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("channel_scales", [False, True])
def test_powers_of_two_change_no_integer(
    monkeypatch: pytest.MonkeyPatch, name: str, channel_scales: bool
) -> None:
    """1 / 2^40 is about 1e-12."""
    keep_training(monkeypatch)
    model, options = OPTIONS[name]
    first, second = uniform(2.0**-40), uniform(2.0**40)
    if channel_scales:
        first, second = (2.0 ** torch.tensor(p) for p in ([-40.0, 3, 0, 37], [20.0, -40, 40, 1]))
    options = {"channel_scales": channel_scales, **options}
    wanted = convert(model(uniform(1), uniform(1)), IMAGES, **options)
    assert same(convert(model(first, second), IMAGES, **options), wanted)


@pytest.mark.parametrize("model", [plain, residual])
@pytest.mark.parametrize("factor", [1e-12, 1e-6, 1e3, 1e12])
def test_other_factors_change_integers_by_rounding_only(
    model: Callable[..., nn.Module], factor: float
) -> None:
    """Float32 weights times 1e3 are rounded: one part in 2^24, so ties may fall otherwise."""
    wanted = convert(model(uniform(1), uniform(1)), IMAGES)
    network = convert(model(uniform(factor), uniform(1 / factor)), IMAGES)
    for a, b in zip(integers(network), integers(wanted), strict=True):
        assert np.abs(a - b).max() <= 1 + 1e-3 * np.abs(b).max()
    one, other = (golden.run(n, IMAGES).logits.astype(float) for n in (network, wanted))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.9999
