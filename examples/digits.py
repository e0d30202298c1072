"""A small CNN for scikit-learn's bundled digits: the example of the README and of `hwgen demo`.

    python examples/digits.py out/digits

trains it and writes ``weights.pt``, ``train.npz`` and ``test.npz`` for the command line.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

TEST_IMAGES = 360


class DigitsCNN(nn.Module):
    """Two convolutions, each with a max-pool, and two linear layers; takes pixels 0 … 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(32)
        self.fc1 = nn.Linear(32 * 2 * 2, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.norm2(self.conv2(x))), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def digits_data(seed: int = 0) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Training and test data, each (images, labels); uint8 images (N, 1, 8, 8).

    The 1,797 images have 17 levels; times 16, their first 4 bits hold all but the brightest one.
    """
    bunch = load_digits()
    images = np.minimum(bunch.images * 16, 255).astype(np.uint8)[:, None]
    labels = bunch.target.astype(np.uint8)
    order = np.random.default_rng(seed).permutation(len(images))
    test, train = order[:TEST_IMAGES], order[TEST_IMAGES:]
    return (images[train], labels[train]), (images[test], labels[test])


def train(images: np.ndarray, labels: np.ndarray, *, epochs: int = 15, seed: int = 0) -> nn.Module:
    """Train :class:`DigitsCNN` with Adam on images shifted by up to a pixel.

    Seeded; takes a few seconds on a CPU. Returns the model in eval mode.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    model = DigitsCNN()
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


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy of the float model, in per cent."""
    with torch.no_grad():
        classes = model(torch.from_numpy(images).float() / 255).argmax(1).numpy()
    return 100 * float((classes == labels).mean())


def write(folder: Path, model: nn.Module, seed: int = 0) -> None:
    """Write ``weights.pt``, ``train.npz`` and ``test.npz`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), folder / "weights.pt")
    for name, (images, labels) in zip(("train", "test"), digits_data(seed), strict=True):
        np.savez(folder / f"{name}.npz", images=images, labels=labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder for weights and data")
    folder = parser.parse_args().folder
    training, test = digits_data()
    model = train(*training)
    write(folder, model)
    print(f"float accuracy {accuracy(model, *test):.2f} % on {len(test[0])} images; see {folder}")


if __name__ == "__main__":
    main()
