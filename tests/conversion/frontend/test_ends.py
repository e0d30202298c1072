"""Activations at the end of a model are dropped, and a single output decides at 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen import golden
from hwgen.conversion.calibration.float_run import run_float
from hwgen.conversion.frontend.float_model import float_classes
from hwgen.errors import ConversionError, HwgenNote, HwgenWarning
from tests.support.conversion import convert
from tests.support.float_models import Forward, fused, pixels

S = nn.Sequential
SHAPE = (3, 4, 4)
ENDS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": torch.sigmoid,
    "in place": lambda z: z.sigmoid_(),
    "log-sigmoid": F.logsigmoid,
    "tanh": torch.tanh,
    "softmax": lambda z: F.softmax(z, dim=-1),
    "log-softmax": lambda z: F.log_softmax(z, dim=1),
    "relu": F.relu,
    "relu in place": lambda z: F.relu(z, inplace=True),
    "relu6, flatten": lambda z: F.relu6(z).flatten(1),
    "relu, dropout, softmax": lambda z: F.softmax(F.dropout(F.relu(z), training=False), dim=1),
    "clamp": lambda z: z.clamp(-1, 1),
    "reshaped": lambda z: torch.sigmoid(z.reshape(-1, 4)).contiguous(),
}
SINGLE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "logit": lambda z: z,
    "squeezed": lambda z: z.squeeze(1),
    "squeezed probability": lambda z: torch.sigmoid(z).squeeze(1),
    "probability of the squeezed": lambda z: torch.sigmoid(z.squeeze()),
    "view": lambda z: torch.sigmoid(z.view(-1)),
    "slope and offset after the squeeze": lambda z: z.squeeze(1) * 2 - 0.25,
}


def linear(outputs: int, *, bias: float = 0.0) -> nn.Linear:
    """Logits around ``bias`` for random pixels."""
    torch.manual_seed(outputs)
    made = nn.Linear(48, outputs)
    with torch.no_grad():
        made.weight.mul_(3)
        made.bias.copy_(bias - made.weight.sum(dim=1) / 2)
    return made


def model(end: Callable[[torch.Tensor], torch.Tensor], made: nn.Linear) -> nn.Module:
    return Forward(lambda m, x: end(m.fc(x.flatten(1))), fc=made).eval()


def logits(made: nn.Linear, images: np.ndarray) -> torch.Tensor:
    with torch.no_grad():
        return made(torch.from_numpy(images).float().flatten(1) / 255)


@pytest.mark.parametrize("name", ENDS)
def test_the_logits_are_the_values_before_the_end(name: str) -> None:
    images, made = pixels(SHAPE, samples=8), linear(4)
    with pytest.warns(HwgenNote, match="dropped at the end of the model"):
        graph = fused(model(ENDS[name], made), SHAPE)
    np.testing.assert_allclose(run_float(graph, images), logits(made, images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SINGLE)
def test_a_single_output_of_any_shape(name: str) -> None:
    """Classes are those of the probability that PyTorch's user compares with 1/2."""
    images, made = pixels(SHAPE, samples=40), linear(1)
    end = SINGLE[name]
    network = convert(model(end, made), images, timesteps=8)
    outputs = end(logits(made, images)).reshape(-1)
    positive = outputs > (0.5 if "probability" in name or name == "view" else 0)
    assert 5 < int(positive.sum()) < 35
    expected = positive.long().numpy()
    np.testing.assert_array_equal(float_classes(model(end, made), images), expected)
    assert (network.logits, network.classes) == (1, 2)
    assert (golden.run(network, images).classes == expected).mean() >= 0.95


def test_float_accuracy_of_a_single_output() -> None:
    images, made = pixels(SHAPE, samples=40), linear(1)
    labels = (logits(made, images)[:, 0] > 0).long().numpy().copy()
    labels[3] = 1 - labels[3]
    network = convert(model(SINGLE["squeezed probability"], made), images, labels=labels)
    assert network.provenance["float_accuracy"] == pytest.approx(100 * 39 / 40)
    assert network.provenance["notes"] == [
        'forward, "return self._forward(self, x)" (sigmoid): dropped at the end of the model: it '
        "keeps the order of the logits; logits are the values before it"
    ]


@pytest.mark.parametrize(("name", "bias"), [("relu", -50.0), ("sigmoid", 50.0), ("softmax", 0.0)])
def test_outputs_that_tie_are_told_apart_by_their_logits(name: str, bias: float) -> None:
    """All zeros of a ReLU, and all ones of a sigmoid: PyTorch's arg-max is the first of them."""
    images, made = pixels(SHAPE, samples=30), linear(4, bias=bias)
    outputs = ENDS[name](logits(made, images))
    if bias:
        assert (outputs == outputs[:, :1]).all()
    expected = logits(made, images).argmax(dim=1).numpy()
    assert len(set(expected.tolist())) > 1
    np.testing.assert_array_equal(float_classes(model(ENDS[name], made), images), expected)
    network = convert(model(ENDS[name], made), images, timesteps=8)
    assert (golden.run(network, images).classes == expected).mean() >= 0.9


def test_an_activation_whose_values_are_used_again_is_none_of_the_end() -> None:
    with pytest.raises(ConversionError, match=r"\(sigmoid\): replace it by ReLU"):
        fused(model(lambda z: torch.sigmoid(z) + z, linear(4)), SHAPE)


# --- what a single logit cannot have ------------------------------------------------------------


def binary() -> nn.Module:
    torch.manual_seed(5)
    return S(nn.Flatten(), nn.Linear(48, 6), nn.ReLU(), nn.Linear(6, 1)).eval()


def test_a_softmax_draws_between_two_classes_at_least() -> None:
    with pytest.raises(ConversionError, match="3: a spiking softmax of a single logit always"):
        convert(binary(), pixels(SHAPE), neuron="if2", decoder="softmax")


def test_feedback_compares_the_spikes_of_classes() -> None:
    with pytest.raises(ConversionError, match="'feedback' compares .* has a single logit; give"):
        convert(binary(), pixels(SHAPE), labels=np.arange(6) % 2, method="feedback", timesteps=4)


def test_counts_of_a_single_logit_do_not_decide_at_zero() -> None:
    with pytest.warns(HwgenWarning, match="^3: the single logit fires from about half a spike"):
        convert(binary(), pixels(SHAPE), neuron="if2", decoder="spike_count", timesteps=4)
