"""A small CNN, converted to any combination of neuron, input code and output decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from hwgen.conversion import METHODS
from hwgen.network import Network
from tests.support.conversion import convert
from tests.support.float_models import pixels

STEPS = 6


def model() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 4),
    ).eval()  # fmt: skip


IMAGES = np.kron(pixels((1, 2, 2), samples=30), np.ones((1, 1, 2, 2), np.uint8))
FRAMES = (np.random.default_rng(8).random((30, STEPS, 1, 4, 4)) < 0.4).astype(np.uint8)


def method_of(neuron: str) -> str:
    return next(name for name, method in METHODS.items() if neuron in method.neurons)


def images_for(code: str) -> np.ndarray:
    return FRAMES if code == "events" else IMAGES


def converted(neuron: str, code: str, decoder: str, **options: Any) -> Network:
    return convert(
        model(), images_for(code), method=method_of(neuron), neuron=neuron, input_code=code,
        decoder=decoder, timesteps=STEPS, **options,
    )  # fmt: skip
