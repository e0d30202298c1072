"""Methods warn of models that their papers do not mean, and name the remedy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import artefact
from hwgen.conversion import adjust
from hwgen.conversion.methods.registry import METHODS
from tests.support.conversion import convert
from tests.support.float_models import pixels, randomised

S = nn.Sequential
IMAGES = pixels((1, 8, 8), samples=12)
LABELS = np.arange(12) % 3


def cnn(activation: nn.Module | None = None) -> nn.Module:
    torch.manual_seed(4)
    return randomised(
        S(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 2, bias=False), activation or nn.ReLU(), nn.Flatten(),
            nn.Linear(16, 3),
        )
    )  # fmt: skip


def warnings_of(model: nn.Module, method: str) -> list[str]:
    options = {"labels": LABELS, "search_rounds": 0} if method == "feedback" else {}
    network = convert(model, IMAGES, method=method, timesteps=4, **options)  # type: ignore[arg-type]
    return list(network.provenance.get("warnings", []))


def test_feedback_names_what_its_neurons_cannot_represent() -> None:
    assert warnings_of(cnn(), "feedback") == [
        "method 'feedback' loses accuracy with what its neurons cannot represent; this model has "
        "1 max-pools, 2 layers with biases, 1 batch norms with a shift: make one without by "
        "hwgen.conversion.adjust, and train it"
    ]


def test_feedback_takes_an_adjusted_model() -> None:
    adjusted, changes = adjust(cnn())
    assert len(changes) == 4
    assert warnings_of(adjusted, "feedback") == []


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (nn.ReLU(), "2 of 2 are not, the first 2 (ReLU), so the network is that of method 'ecc'; "),
        (nn.ReLU6(), "1 of 2 are not, the first 2 (ReLU); "),
    ],
)
def test_threshold_relu_needs_clipped_relus(activation: nn.Module, expected: str) -> None:
    (text,) = warnings_of(cnn(activation), "threshold_relu")
    assert text == (
        f"method 'threshold_relu' needs clipped ReLUs, but {expected}train with ReLU6 or "
        f"clamp(0, c), or use another method"
    )


def test_threshold_relu_of_plain_relus_is_ecc() -> None:
    first, second = (
        convert(cnn(), IMAGES, method=name, timesteps=4, name="net")
        for name in ("threshold_relu", "ecc")
    )
    hashes = {artefact.content_hash(replace(n, provenance={})) for n in (first, second)}
    assert len(hashes) == 1


def test_other_methods_and_clipped_models_are_silent() -> None:
    model = S(nn.Conv2d(1, 4, 3), nn.ReLU6(), nn.Flatten(), nn.Linear(144, 3)).eval()
    assert warnings_of(model, "threshold_relu") == []
    for name in METHODS:
        if name not in ("feedback", "threshold_relu"):
            assert warnings_of(cnn(), name) == [], name
