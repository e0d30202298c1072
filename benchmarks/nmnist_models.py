"""N-MNIST networks of the benchmark and their training."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.training import fit, kept, shifted
from hwgen.datasets import Dataset

TOP = 1.0
"""y_th of the threshold ReLU."""


class Clip(nn.Module):
    """Threshold ReLU: min(max(x, 0), y_th)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clamp(0, TOP)


@dataclass(frozen=True)
class Recipe:
    """Structure and training: AdamW, one learning-rate cycle, samples shifted at random."""

    clipped: bool
    max_pool: bool
    epochs: int = 40
    learning_rate: float = 4e-3
    weight_decay: float = 0.05
    shift: int = 2
    batch: int = 50
    seed: int = 0

    def build(self) -> nn.Sequential:
        """12C3 – P2 – 24C3 – P2 – 10."""
        act = Clip if self.clipped else nn.ReLU
        pool = nn.MaxPool2d if self.max_pool else nn.AvgPool2d
        return nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(2, 12, 3, padding=1, bias=False),
                norm1=nn.BatchNorm2d(12),
                act1=act(),
                pool1=pool(2),
                conv2=nn.Conv2d(12, 24, 3, bias=False),
                norm2=nn.BatchNorm2d(24),
                act2=act(),
                pool2=pool(2),
                flatten=nn.Flatten(),
                drop=nn.Dropout(0.2),
                fc=nn.Linear(24 * 7 * 7, 10),
            )
        )


RECIPES = {
    "relu": Recipe(clipped=False, max_pool=False),
    "threlu": Recipe(clipped=True, max_pool=False),
    "threlu_maxpool": Recipe(clipped=True, max_pool=True),
}


def shares(data: Dataset) -> torch.Tensor:
    """Input of the float networks: fraction of timesteps with an event, for each pixel."""
    return torch.from_numpy(data.images.mean(axis=1, dtype=np.float32))


def train(recipe: Recipe, data: Dataset, cache: Path) -> nn.Sequential:
    """Network of ``recipe`` in eval mode, trained or read from the cache."""
    assert data.labels is not None
    torch.manual_seed(recipe.seed)
    model = recipe.build()
    digest = hashlib.sha256(f"{recipe} {model} {data.images.shape}".encode())
    digest.update(np.packbits(data.images).tobytes())
    path = cache / f"nmnist-{digest.hexdigest()[:12]}.safetensors"
    given = (model, shares(data), torch.from_numpy(data.labels), recipe, recipe.epochs)
    return kept(path, model, lambda: fit(*given, partial(shifted, edge=recipe.shift)))


def float_accuracy(model: nn.Module, data: Dataset) -> float:
    with torch.inference_mode():
        classes = model(shares(data)).argmax(1).numpy()
    return 100 * float((classes == data.labels).mean())
