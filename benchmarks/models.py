"""MNIST networks of the benchmarks and their training."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.command import data_folder
from benchmarks.training import Progress, default_cache, fit, kept, shifted
from hwgen.datasets import Dataset, load


def mlp() -> nn.Sequential:
    """784-128-10."""
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            fc1=nn.Linear(784, 128),
            relu1=nn.ReLU(),
            drop=nn.Dropout(0.1),
            fc2=nn.Linear(128, 10),
        )
    )


def cnn(first: int = 8, second: int = 16, hidden: int = 64) -> nn.Sequential:
    """Two 3×3 convolutions, two max-pools, two linear layers."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, first, 3, padding=1),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(first, second, 3, padding=1),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(second * 49, hidden),
            relu3=nn.ReLU(),
            drop=nn.Dropout(0.2),
            fc2=nn.Linear(hidden, 10),
        )
    )


class RoundedClamp(nn.Module):
    """min(max(x, 0), top), rounded to ``levels`` equal steps during training.

    Gradients ignore the rounding (straight-through estimator).
    """

    def __init__(self, *, levels: int, top: float = 2.0) -> None:
        super().__init__()
        self.levels, self.top = levels, top

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.clamp(0, self.top)
        if self.training:
            step = self.top / self.levels
            x = x + ((x / step).round() * step - x).detach()
        return x


def strided_cnn(channels: tuple[int, ...] = (16, 32, 64), levels: int = 3) -> nn.Sequential:
    """3×3 convolutions of stride 2, down to 4×4 pixels, and a linear layer.

    Trained for spike trains of ``levels`` + 1 values; two timesteps carry four.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (fan_in, fan_out) in enumerate(zip((1, *channels[:-1]), channels, strict=True), 1):
        layers[f"conv{number}"] = nn.Conv2d(fan_in, fan_out, 3, stride=2, padding=1, bias=False)
        layers[f"norm{number}"] = nn.BatchNorm2d(fan_out)
        layers[f"act{number}"] = RoundedClamp(levels=levels)
    layers |= {
        "flatten": nn.Flatten(),
        "drop": nn.Dropout(0.1),
        "fc": nn.Linear(16 * channels[-1], 10),
    }
    return nn.Sequential(layers)


@dataclass(frozen=True)
class Recipe:
    """Training recipe: AdamW, one learning-rate cycle, images shifted by a few pixels.

    ``turn`` (degrees) and ``zoom`` (fraction) also rotate and scale each image at random;
    ``pixel_bits`` is the number of upper bits of a pixel that training uses.
    """

    build: Callable[[], nn.Module]
    epochs: int
    learning_rate: float
    weight_decay: float
    shift: int
    turn: float = 0.0
    zoom: float = 0.0
    pixel_bits: int = 8
    batch: int = 128
    seed: int = 0


RECIPES = {
    "mlp": Recipe(mlp, epochs=16, learning_rate=3e-3, weight_decay=0.05, shift=1),
    "cnn": Recipe(cnn, epochs=16, learning_rate=4e-3, weight_decay=0.05, shift=2),
    "strided": Recipe(
        strided_cnn, epochs=12, learning_rate=4e-3, weight_decay=0.02, shift=2,
        turn=10, zoom=0.1, pixel_bits=2,
    ),
}  # fmt: skip


def mnist() -> tuple[Dataset, Dataset]:
    """(training set, test set) of MNIST from HWGEN_DATA."""
    folder = data_folder("mnist_train.npz", "mnist_test.npz")
    return load(folder / "mnist_train.npz"), load(folder / "mnist_test.npz")


def train(
    name: str,
    data: Dataset,
    *,
    cache: Path | None = None,
    epochs: int | None = None,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> nn.Module:
    """Model ``name`` of RECIPES, or of ``recipe``, trained on ``data`` or read from the cache.

    The model is in eval mode.

    Parameters
    ----------
    cache : folder, or None for :func:`default_cache`
    epochs : int, or None for the recipe's
    """
    recipe = recipe or RECIPES[name]
    torch.manual_seed(recipe.seed)
    return fitted(recipe.build(), name, recipe, data, cache=cache, epochs=epochs, progress=progress)


def fitted(
    model: nn.Module,
    name: str,
    recipe: Recipe,
    data: Dataset,
    *,
    cache: Path | None = None,
    epochs: int | None = None,
    progress: Progress | None = None,
) -> nn.Module:
    """Train ``model`` further, as :func:`train` does.

    ``name`` distinguishes models with different initial weights in the cache.
    """
    assert data.labels is not None
    epochs = epochs or recipe.epochs
    path = (cache or default_cache()) / (
        f"{name}-{_fingerprint(recipe, model, epochs, data)}.safetensors"
    )
    pixels, classes = torch.from_numpy(data.images).float(), torch.from_numpy(data.labels)
    coarse = _coarse(data.images, recipe.pixel_bits)

    def moved(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        if recipe.turn or recipe.zoom:
            return coarse(_turned(images, recipe, generator))
        return coarse(shifted(images, generator, edge=recipe.shift))

    given = (model, pixels, classes, recipe, epochs, moved)
    return kept(path, model, lambda: fit(*given, progress or (lambda *_: None)))


def _fingerprint(recipe: Recipe, model: nn.Module, epochs: int, data: Dataset) -> str:
    """Hash of everything that the weights depend on."""
    digest = hashlib.sha256(f"{recipe.__dict__ | {'build': 0}} {epochs} {model}".encode())
    digest.update(np.ascontiguousarray(data.images).tobytes())
    return digest.hexdigest()[:12]


def _turned(images: torch.Tensor, recipe: Recipe, generator: torch.Generator) -> torch.Tensor:
    """Rotate, scale and shift each image by its own random amounts."""
    turn, zoom, x, y = torch.rand(4, len(images), generator=generator) * 2 - 1
    angle, size = torch.deg2rad(turn * recipe.turn), 1 + zoom * recipe.zoom
    reach = 2 * recipe.shift / images.shape[3]  # coordinates of affine_grid: −1 to 1
    rows = (
        torch.stack([angle.cos() * size, -angle.sin() * size, x * reach], 1),
        torch.stack([angle.sin() * size, angle.cos() * size, y * reach], 1),
    )
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def _coarse(images: np.ndarray, bits: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Map pixels 0 … 255 to 0 … 1 through their upper ``bits``, by a least-squares line."""
    step = 2 ** (8 - bits)
    sample = images[:2000].reshape(-1)
    scale, offset = np.polyfit(sample // step, sample / 255, 1)
    return lambda pixels: torch.floor(pixels / step) * scale + offset


def float_accuracy(model: nn.Module, data: Dataset, batch: int = 1000) -> float:
    """Accuracy of the float model in per cent."""
    assert data.labels is not None
    hits = 0
    with torch.inference_mode():
        for start in range(0, len(data), batch):
            pixels = torch.from_numpy(data.images[start : start + batch]).float() / 255
            hits += int(
                (model(pixels).argmax(1).numpy() == data.labels[start : start + batch]).sum()
            )
    return 100 * hits / len(data)
