"""Adjustment of a CNN: replaced modules, unchanged modules, and conversion of the result."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from examples.digits import DigitsCNN
from hwgen.conversion import adjust
from hwgen.conversion.methods.adjustment import RootMeanSquareNorm
from hwgen.errors import ConversionError
from tests.support.conversion import convert
from tests.support.float_models import Forward, firing, pixels, randomised

S = nn.Sequential


def model() -> nn.Sequential:
    torch.manual_seed(1)
    return randomised(
        S(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.LeakyReLU(0.1), nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3),
            nn.Linear(24, 5), nn.LeakyReLU(), nn.Linear(5, 3),
        )
    )  # fmt: skip


def test_changes_are_made_and_reported():
    original = model()
    adjusted, changes = adjust(original)
    assert changes == [
        "0: Conv2d without bias",
        "1: BatchNorm2d → RootMeanSquareNorm",
        "2: LeakyReLU → ReLU",
        "3: MaxPool2d → AvgPool2d",
        "8: Linear without bias",
        "9: LeakyReLU → ReLU",
        "10: Linear without bias",
    ]
    kinds = [nn.Conv2d, RootMeanSquareNorm, nn.ReLU, nn.AvgPool2d, nn.Conv2d, nn.ReLU, nn.Flatten,
             nn.Dropout, nn.Linear, nn.ReLU, nn.Linear]  # fmt: skip
    assert [type(module) for module in adjusted] == kinds
    assert [name for name, _ in adjusted.named_parameters()] == [
        "0.weight", "1.weight", "4.weight", "8.weight", "10.weight",
    ]  # fmt: skip
    assert torch.equal(adjusted[4].weight, original[4].weight)
    assert adjusted[7].p == 0.3


def test_the_original_model_is_not_modified():
    original = model()
    before = {name: value.clone() for name, value in original.state_dict().items()}
    adjusted, _ = adjust(original)
    for parameter in adjusted.parameters():
        parameter.data.zero_()
    assert [type(module).__name__ for module in original][:4] == [
        "Conv2d", "BatchNorm2d", "LeakyReLU", "MaxPool2d",
    ]  # fmt: skip
    assert all(torch.equal(value, before[name]) for name, value in original.state_dict().items())


def test_it_computes_the_cnn_without_shifts():
    """By PyTorch's functions, with the gain γ/σ of the batch norm."""
    original = model()
    adjusted, _ = adjust(original)
    x = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    norm = original[1]
    with torch.no_grad():
        y = F.conv2d(x, original[0].weight, padding=1)
        y = y * (norm.weight / (norm.running_var + norm.eps).sqrt()).view(-1, 1, 1)
        y = F.avg_pool2d(F.relu(y), 2)
        y = F.relu(F.conv2d(y, original[4].weight)).flatten(1)
        y = F.relu(y @ original[8].weight.T) @ original[10].weight.T
        np.testing.assert_allclose(adjusted(x), y, rtol=1e-4, atol=1e-5)


def test_the_mean_square_is_the_variance_and_the_squared_mean():
    """μ = 3, σ² = 4: E[x²] = 13, and the gain γ·√13/√4 leaves γ/σ, as the batch norm has it."""
    norm = nn.BatchNorm2d(1, eps=0.0)
    norm.running_mean.fill_(3)
    norm.running_var.fill_(4)
    norm.weight.data.fill_(6)
    made = RootMeanSquareNorm.of(norm).eval()
    assert made.running_square.item() == 13
    assert made.weight.item() == pytest.approx(6 * (13 / 4) ** 0.5)
    assert made(torch.full((1, 1, 1, 1), 2.0)).item() == pytest.approx(2 * 6 / 2)


@pytest.mark.parametrize(
    ("kind", "shape"), [(nn.BatchNorm1d, (64, 3)), (nn.BatchNorm2d, (16, 3, 2, 2))]
)
def test_a_norm_while_it_is_trained(kind: type, shape: tuple[int, ...]):
    """The batch comes out with a root mean square of γ; the running one moves by a tenth."""
    norm = RootMeanSquareNorm.of(kind(3)).train()
    norm.weight.data = torch.tensor([1.0, 2.0, 0.5])
    x = 3 + torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    axes = [0, *range(2, x.ndim)]
    found = norm(x).square().mean(dim=axes).sqrt().detach()
    np.testing.assert_allclose(found, [1.0, 2.0, 0.5], rtol=1e-4)
    expected = 0.9 * 1 + 0.1 * x.square().mean(dim=axes)
    np.testing.assert_allclose(norm.running_square, expected, rtol=1e-5)
    assert not norm.eval()(torch.zeros(shape)).any()  # no shift


def test_retrained_norms_are_saved_and_loaded():
    adjusted, _ = adjust(model())
    adjusted.train()(torch.rand(8, 1, 8, 8))
    again, _ = adjust(model())
    again.load_state_dict(adjusted.state_dict())
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(again.eval()(x), adjusted.eval()(x))


def test_it_converts_to_layers_without_biases():
    adjusted, _ = adjust(model())
    network = convert(adjusted, pixels((1, 8, 8), samples=30), method="threshold_balancing")
    assert [layer.name for layer in firing(network)] == ["0", "3", "4", "8"]  # 3: the average
    assert not any(layer.bias.any() for layer in network.layers)
    assert len(np.unique(network["3"].projections[0].weights)) == 1


def test_functions_in_the_forward():
    torch.manual_seed(0)
    original = randomised(DigitsCNN())
    adjusted, changes = adjust(original)
    assert sum("max_pool2d → avg_pool2d" in change for change in changes) == 2
    x = torch.rand(2, 1, 8, 8)
    bare = copy.deepcopy(adjusted)
    with torch.no_grad():
        y = F.avg_pool2d(F.relu(bare.norm1(bare.conv1(x))), 2)
        y = F.avg_pool2d(F.relu(bare.norm2(bare.conv2(y))), 2)
        y = bare.fc2(F.relu(bare.fc1(y.flatten(1))))
        np.testing.assert_allclose(adjusted(x), y, rtol=1e-5, atol=1e-6)
    assert "conv1.weight" in dict(adjusted.named_parameters())
    network = convert(adjusted, pixels((1, 8, 8), samples=20), timesteps=4)
    assert network["conv2"].projections[0].weights.any()


def test_leaky_relus_and_adaptive_pools_as_functions():
    original = Forward(
        lambda m, x: m.fc(F.adaptive_max_pool2d(F.leaky_relu(m.conv(x), 0.3), 2).flatten(1)),
        conv=nn.Conv2d(1, 2, 3), fc=nn.Linear(8, 2),
    ).eval()  # fmt: skip
    adjusted, changes = adjust(original)
    assert [change.split(": ")[1] for change in changes[2:]] == [
        "leaky_relu → relu", "adaptive_max_pool2d → adaptive_avg_pool2d",
    ]  # fmt: skip
    x = torch.rand(2, 1, 6, 6)
    with torch.no_grad():
        y = F.adaptive_avg_pool2d(F.relu(F.conv2d(x, original.conv.weight)), 2).flatten(1)
        np.testing.assert_allclose(adjusted(x), y @ original.fc.weight.T, rtol=1e-5, atol=1e-6)


def test_modes_stay_and_shared_modules_stay_shared():
    act = nn.LeakyReLU(0.2)
    original = S(nn.Conv2d(1, 2, 3), act, nn.Conv2d(2, 2, 3), act, nn.BatchNorm2d(2)).train()
    original[4].eval()
    adjusted, _ = adjust(original)
    assert adjusted[1] is adjusted[3]
    assert adjusted[0].training
    assert not adjusted[4].training


def test_a_single_module():
    adjusted, changes = adjust(nn.LeakyReLU())
    assert type(adjusted) is nn.ReLU
    assert changes == ["model: LeakyReLU → ReLU"]


@pytest.mark.parametrize(
    ("original", "reported"),
    [
        (S(nn.MaxPool2d(2, dilation=2)), r"0 \(MaxPool2d\): an average pool has neither dilation"),
        (S(nn.MaxPool2d(2, return_indices=True)), "neither dilation nor indices"),
        (S(nn.BatchNorm2d(3, track_running_stats=False)), "without running statistics"),
        (
            Forward(lambda m, x: F.dropout(F.max_pool2d(x, 2), training=m.training)),
            "max_pool2d as a function and depends on training mode",
        ),
    ],
)
def test_modules_without_a_counterpart_are_rejected(original: nn.Module, reported: str):
    with pytest.raises(ConversionError, match=reported):
        adjust(original)
