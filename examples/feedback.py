"""Feedback thresholds (Shang, Li, You) on scikit-learn's bundled digits.

    python examples/feedback.py out/feedback

trains a CNN with LeakyReLU, biases and max-pools, adjusts it, trains the adjusted one again, and
writes ``weights.pt``, ``train.npz`` and ``test.npz`` for

    hwgen convert examples/feedback.py:adjusted --weights out/feedback/weights.pt \\
        --data out/feedback/train.npz --method feedback --timesteps 32 -o out/feedback/net
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from hwgen.conversion import adjust

sys.path.insert(0, str(Path(__file__).parent))
from digits import accuracy, digits_data, write


def original(channels: tuple[int, int] = (8, 16), hidden: int = 32) -> nn.Sequential:
    """Two convolutions with batch norms and max-pools, two linear layers; images of 8×8 pixels."""
    first, second = channels
    return nn.Sequential(
        nn.Conv2d(1, first, 3, padding=1), nn.BatchNorm2d(first), nn.LeakyReLU(0.1),
        nn.MaxPool2d(2),
        nn.Conv2d(first, second, 3, padding=1), nn.LeakyReLU(0.1),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(second * 4, hidden), nn.LeakyReLU(0.1),
        nn.Linear(hidden, 10),
    )  # fmt: skip


def adjusted() -> nn.Module:
    """The CNN without LeakyReLU, biases, and max-pools; untrained."""
    return adjust(original())[0]


def train(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, *, epochs: int, seed: int = 0
) -> nn.Module:
    """Train ``model`` further, from its weights, and return it in eval mode; seeded."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-4)
    batches = epochs * -(-len(images) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=batches)
    pixels = F.pad(torch.from_numpy(images).float() / 255, (1, 1, 1, 1))
    classes = torch.from_numpy(labels.astype(np.int64))
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images), generator=generator).split(64):
            y, x = torch.randint(0, 3, (2,), generator=generator).tolist()
            moved = pixels[batch, :, y : y + 8, x : x + 8]
            optimiser.zero_grad()
            F.cross_entropy(model(moved), classes[batch]).backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder for weights and data")
    folder = parser.parse_args().folder
    training, test = digits_data()
    torch.manual_seed(0)
    model = train(original(), *training, epochs=12)
    print(f"original: {accuracy(model, *test):.2f} % of {len(test[0])} images")
    changed, changes = adjust(model)
    print(*(f"  {change}" for change in changes), sep="\n")
    print(f"adjusted: {accuracy(changed, *test):.2f} %")
    again = train(changed, *training, epochs=8)
    print(f"trained again: {accuracy(again, *test):.2f} %; see {folder}")
    write(folder, again)


if __name__ == "__main__":
    main()
