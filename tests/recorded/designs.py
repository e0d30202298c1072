"""The twelve designs: float models, how they are converted, and how their hardware is planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SAMPLES = 3
"""Images whose trains and cycles are recorded."""


class Mlp(nn.Sequential):
    """Two linear layers on 1 × 6 × 6 pixels."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(36, 12), nn.ReLU(), nn.Linear(12, 5))


class Cnn(nn.Sequential):
    """Two padded convolutions with a max-pool between them, on 2 × 8 × 8 pixels."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(2, 6, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32, 5),
        )


class StridedCnn(nn.Sequential):
    """Strides of two and an average at the end, on 3 × 9 × 9 pixels."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 12, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(12, 5),
        )


class Residual(nn.Module):
    """A block around an identity, or around a strided 1 × 1 convolution, on 3 × 8 × 8 pixels."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.a = nn.Conv2d(8, 8, 3, stride=stride, padding=1)
        self.b = nn.Conv2d(8, 8, 3, padding=1)
        self.shortcut = nn.Identity() if stride == 1 else nn.Conv2d(8, 8, 1, stride=stride)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.stem(x))
        x = F.relu(self.b(F.relu(self.a(x))) + self.shortcut(x))
        return self.fc(x.mean((2, 3)))


class Depthwise(nn.Sequential):
    """A depthwise convolution and a linear bottleneck, on 3 × 8 × 8 pixels."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.ReLU6(),
            nn.Conv2d(8, 8, 3, padding=1, groups=8),
            nn.ReLU6(),
            nn.Conv2d(8, 4, 1),
            nn.Conv2d(4, 6, 3, stride=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(6, 5),
        )


@dataclass(frozen=True, kw_only=True)
class Design:
    """One design.

    Parameters
    ----------
    model : function that makes the float model
    shape : (channels, height, width) of an image
    conversion : options of :func:`hwgen.convert`
    hardware : options of :func:`hwgen.generate`
    events : bool
        Whether calibration data are frames of address events.
    """

    model: Callable[[], nn.Module]
    shape: tuple[int, int, int]
    conversion: Mapping[str, Any] = field(default_factory=dict)
    hardware: Mapping[str, Any] = field(default_factory=dict)
    events: bool = False

    @property
    def pixel_bits(self) -> int:
        return 1 if self.events else 8


DESIGNS = {
    "mlp": Design(
        model=Mlp,
        shape=(1, 6, 6),
        conversion={"timesteps": 3, "layer_timesteps": {"input": 3}},
        hardware={"lanes": 6, "scanners": 2},
    ),
    "cnn": Design(
        model=Cnn,
        shape=(2, 8, 8),
        conversion={
            "timesteps": 4,
            "layer_timesteps": {"input": 4},
            "error": "squared",
            "bias_correction": "mean",
        },
        hardware={"target_fps": "max", "max_luts": 5000},
    ),
    "strided": Design(
        model=StridedCnn,
        shape=(3, 9, 9),
        conversion={"timesteps": 5, "layer_timesteps": {"input": 8}, "channel_scales": True},
        hardware={"lanes": 4, "schedule": "time", "pipeline": "alternate"},
    ),
    "residual": Design(
        model=lambda: Residual(1),
        shape=(3, 8, 8),
        conversion={"timesteps": 4, "layer_timesteps": {"input": 4}, "rounding": "fitted"},
        hardware={"lanes": 8, "scanners": 2, "membrane_lanes": 4},
    ),
    "residual_strided": Design(
        model=lambda: Residual(2),
        shape=(3, 8, 8),
        conversion={"timesteps": 4, "layer_timesteps": {"input": 4}, "weight_bits": 6},
        hardware={"lanes": 4, "schedule": "time", "pipeline": "overlap"},
    ),
    "depthwise": Design(
        model=Depthwise,
        shape=(3, 8, 8),
        conversion={"timesteps": 6, "layer_timesteps": {"input": 6}},
        hardware={"lanes": 8, "pipeline": "alternate", "weight_memory": "block"},
    ),
    "events": Design(
        model=Cnn,
        shape=(2, 8, 8),
        conversion={"timesteps": 4, "neuron": "if", "method": "ecc"},
        hardware={"lanes": 4},
        events=True,
    ),
    "poisson": Design(
        model=Cnn,
        shape=(2, 8, 8),
        conversion={
            "timesteps": 12,
            "method": "weight_norm",
            "input_code": "poisson",
            "percentile": 99.0,
        },
        hardware={"lanes": 6, "scanners": 2, "counters": False},
    ),
    "direct": Design(
        model=Cnn,
        shape=(2, 8, 8),
        conversion={
            "timesteps": 6,
            "method": "threshold_balancing",
            "input_code": "direct",
            "floor": -1.0,
        },
        hardware={"lanes": 3, "schedule": "time"},
    ),
    "ttfs": Design(
        model=Cnn,
        shape=(2, 8, 8),
        conversion={"timesteps": 7, "method": "ttfs", "error": "squared", "decoder": "first_spike"},
        hardware={"lanes": 6, "pipeline": "alternate"},
    ),
    "leaky": Design(
        model=Cnn,
        shape=(2, 8, 8),
        conversion={"timesteps": 5, "layer_timesteps": {"input": 5}, "leak": 1.6},
        hardware={"lanes": 6, "weight_memory": "lut"},
    ),
    "softmax": Design(
        model=Mlp,
        shape=(1, 6, 6),
        conversion={"timesteps": 10, "method": "ecc", "decoder": "softmax"},
        hardware={"lanes": 4},
    ),
}


def make_model(design: Design) -> nn.Module:
    """The float model, its weights multiples of 1/32."""
    model = design.model().eval()
    rng = np.random.default_rng(len(design.shape) + sum(design.shape))
    with torch.no_grad():
        for parameter in model.parameters():
            values = rng.integers(-12, 16, parameter.shape) / 32
            parameter.copy_(torch.from_numpy(values))
    return model


def make_images(design: Design, samples: int) -> np.ndarray:
    """Calibration images of 8 bits, or frames of events."""
    rng = np.random.default_rng(7)
    if design.events:
        frames = rng.random((samples, design.conversion["timesteps"], *design.shape)) < 0.3
        return frames.astype(np.uint8)
    return rng.integers(0, 16, (samples, *design.shape)).astype(np.uint8) * 16
