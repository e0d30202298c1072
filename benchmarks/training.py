"""Training of the benchmarks' networks, and a cache of their weights."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

Model = TypeVar("Model", bound=nn.Module)
Progress = Callable[[int, int], None]  # epochs done, of how many
Moved = Callable[[torch.Tensor, torch.Generator], torch.Tensor]
"""Augmentation: a batch of inputs as training shows it."""


class Schedule(Protocol):
    """Parameters of AdamW with one learning-rate cycle."""

    @property
    def learning_rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def batch(self) -> int: ...
    @property
    def seed(self) -> int: ...


def default_cache() -> Path:
    """The folder that HWGEN_CACHE names, or ~/.cache/hwgen."""
    return Path(os.environ.get("HWGEN_CACHE") or Path.home() / ".cache" / "hwgen")


def kept(path: Path, model: Model, fit: Callable[[], None]) -> Model:
    """``model`` in eval mode with the weights at ``path``.

    If the file does not exist, call ``fit`` to train the model, and write the file.
    """
    if path.is_file():
        model.load_state_dict(load_file(path))
        return model.eval()
    fit()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    save_file(model.state_dict(), part)
    part.replace(path)
    return model.eval()


def fit(
    model: nn.Module,
    inputs: torch.Tensor,
    classes: torch.Tensor,
    schedule: Schedule,
    epochs: int,
    moved: Moved,
    progress: Progress = lambda *_: None,
) -> None:
    """Train ``model`` on shuffled batches, each augmented by ``moved``."""
    generator = torch.Generator().manual_seed(schedule.seed)
    batches = len(inputs) // schedule.batch
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, schedule.learning_rate, total_steps=epochs * batches, pct_start=0.2
    )
    model.train()
    for epoch in range(epochs):
        order = torch.randperm(len(inputs), generator=generator)
        for batch in order[: batches * schedule.batch].split(schedule.batch):
            shown = moved(inputs[batch], generator)
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(model(shown), classes[batch]).backward()
            optimiser.step()
            rates.step()
        progress(epoch + 1, epochs)


def shifted(images: torch.Tensor, generator: torch.Generator, *, edge: int) -> torch.Tensor:
    """Shift the whole batch by up to ``edge`` pixels."""
    height, width = images.shape[2:]
    y, x = torch.randint(0, 2 * edge + 1, (2,), generator=generator).tolist()
    return F.pad(images, (edge,) * 4)[:, :, y : y + height, x : x + width]
