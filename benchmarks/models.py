"""The MNIST networks of the benchmarks, their training, and a cache of their weights."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from hwgen.data import Dataset, load

Progress = Callable[[int, int], None]  # epochs done, of how many


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


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: AdamW, one learning-rate cycle, images moved by a few pixels."""

    build: Callable[[], nn.Module]
    epochs: int
    learning_rate: float
    weight_decay: float
    shift: int
    batch: int = 128
    seed: int = 0


RECIPES = {
    "mlp": Recipe(mlp, epochs=16, learning_rate=3e-3, weight_decay=0.05, shift=1),
    "cnn": Recipe(cnn, epochs=16, learning_rate=4e-3, weight_decay=0.05, shift=2),
}


def default_cache() -> Path:
    """The folder that HWGEN_CACHE names, or ~/.cache/hwgen."""
    return Path(os.environ.get("HWGEN_CACHE") or Path.home() / ".cache" / "hwgen")


def mnist(folder: Path) -> tuple[Dataset, Dataset]:
    """(training set, test set) of the folder with mnist_train.npz and mnist_test.npz."""
    return load(folder / "mnist_train.npz"), load(folder / "mnist_test.npz")


def train(
    name: str,
    data: Dataset,
    *,
    cache: Path | None = None,
    epochs: int | None = None,
    progress: Progress | None = None,
) -> nn.Module:
    """The model ``name`` of RECIPES trained on ``data``, in eval mode; from the cache if it can.

    Parameters
    ----------
    cache : folder, or None for :func:`default_cache`
    epochs : int, or None for the recipe's
    """
    recipe = RECIPES[name]
    epochs = epochs or recipe.epochs
    torch.manual_seed(recipe.seed)
    model = recipe.build()
    cache = cache or default_cache()
    path = cache / f"{name}-{_fingerprint(recipe, model, epochs, data)}.safetensors"
    if path.is_file():
        model.load_state_dict(load_file(path))
        return model.eval()
    _fit(model, recipe, epochs, data, progress or (lambda *_: None))
    cache.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    save_file(model.state_dict(), part)
    part.replace(path)
    return model.eval()


def _fingerprint(recipe: Recipe, model: nn.Module, epochs: int, data: Dataset) -> str:
    """Of all that the weights depend on."""
    digest = hashlib.sha256(f"{recipe.__dict__ | {'build': 0}} {epochs} {model}".encode())
    digest.update(np.ascontiguousarray(data.images).tobytes())
    return digest.hexdigest()[:12]


def _fit(model: nn.Module, recipe: Recipe, epochs: int, data: Dataset, progress: Progress) -> None:
    assert data.labels is not None
    generator = torch.Generator().manual_seed(recipe.seed)
    edge = recipe.shift
    pixels = F.pad(torch.from_numpy(data.images).float() / 255, (edge,) * 4)
    height, width = data.images.shape[2:]
    classes = torch.from_numpy(data.labels)
    batches = len(pixels) // recipe.batch
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=epochs * batches, pct_start=0.2
    )
    model.train()
    for epoch in range(epochs):
        order = torch.randperm(len(pixels), generator=generator)
        for batch in order[: batches * recipe.batch].split(recipe.batch):
            y, x = torch.randint(0, 2 * edge + 1, (2,), generator=generator).tolist()
            moved = pixels[batch, :, y : y + height, x : x + width]
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(model(moved), classes[batch]).backward()
            optimiser.step()
            schedule.step()
        progress(epoch + 1, epochs)


def float_accuracy(model: nn.Module, data: Dataset, batch: int = 1000) -> float:
    """Per cent of ``data`` that the float model gets right."""
    assert data.labels is not None
    hits = 0
    with torch.inference_mode():
        for start in range(0, len(data), batch):
            pixels = torch.from_numpy(data.images[start : start + batch]).float() / 255
            hits += int(
                (model(pixels).argmax(1).numpy() == data.labels[start : start + batch]).sum()
            )
    return 100 * hits / len(data)
