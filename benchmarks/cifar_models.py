"""CIFAR-10 networks of the benchmarks, with trained weights from HWGEN_DATA."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.command import data_folder
from hwgen.datasets import Dataset, load

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class _OptionA(nn.Module):
    """Block of ResNet-20; its shortcut drops pixels and pads channels where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.pad = stride, (outputs - inputs) // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.pad:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + x)


class ResNet20(nn.Module):
    """ResNet-20 for 32 × 32 images (He et al., 2016), shortcuts of option A.

    With more than three ``blocks`` in each of its three stages it is deeper: 9 make a ResNet-56.
    """

    def __init__(self, blocks: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self._stage(16, 16, 1, blocks)
        self.layer2 = self._stage(16, 32, 2, blocks)
        self.layer3 = self._stage(32, 64, 2, blocks)
        self.linear = nn.Linear(64, 10)

    @staticmethod
    def _stage(inputs: int, outputs: int, stride: int, blocks: int) -> nn.Sequential:
        later = (_OptionA(outputs, outputs, 1) for _ in range(blocks - 1))
        return nn.Sequential(_OptionA(inputs, outputs, stride), *later)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(F.avg_pool2d(x, x.shape[3]).flatten(1))


class ResNet8(nn.Module):
    """Image-classification reference of MLPerf Tiny.

    TensorFlow pads a stride of 2 at the bottom and the right only.
    """

    def __init__(self) -> None:
        super().__init__()
        sizes = ((3, 16, 3), (16, 16, 3), (16, 16, 3), (16, 32, 3), (32, 32, 3), (16, 32, 1),
                 (32, 64, 3), (64, 64, 3), (32, 64, 1))  # fmt: skip
        strides = (1, 1, 1, 2, 1, 2, 2, 1, 2)
        self.convs = nn.ModuleList(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=1 if stride == 1 else 0)
            for (inputs, outputs, kernel), stride in zip(sizes, strides)
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(size, eps=1e-3) for size in (16, 16, 16, 32, 32, 64, 64)
        )
        self.dense = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        conv, norm = self.convs, self.norms
        a = F.relu(norm[0](conv[0](x)))
        y = F.relu(norm[1](conv[1](a)))
        b = F.relu(norm[2](conv[2](y)) + a)
        y = F.relu(norm[3](conv[3](F.pad(b, (0, 1, 0, 1)))))
        c = F.relu(norm[4](conv[4](y)) + conv[5](b))
        y = F.relu(norm[5](conv[6](F.pad(c, (0, 1, 0, 1)))))
        d = F.relu(norm[6](conv[7](y)) + conv[8](c))
        return self.dense(F.avg_pool2d(d, 8).flatten(1))


TRAINING = (
    "cifar10_train_first10000.npz",
    *(f"cifar10_train_{first}_{first + 9999}.npz" for first in range(10_000, 50_000, 10_000)),
)
TEST = "cifar10_test.npz"


def images() -> tuple[Dataset, Dataset]:
    """All 50,000 training images and all test images of CIFAR-10, from HWGEN_DATA."""
    folder = data_folder(*TRAINING, TEST)
    parts = [load(folder / name) for name in TRAINING]
    training = Dataset(
        images=np.concatenate([part.images for part in parts]),
        labels=np.concatenate([part.labels for part in parts if part.labels is not None]),
    )
    return training, load(folder / TEST)


def resnet20() -> nn.Module:
    """ResNet-20 with the weights of HWGEN_DATA; its input is (x/255 − µ) / σ."""
    model = ResNet20()
    weights = _arrays("cifar10_resnet20.npz")
    _load(model, {name: torch.from_numpy(values) for name, values in weights.items()})
    return model.eval()


def resnet8() -> nn.Module:
    """ResNet-8 with the weights of HWGEN_DATA; its input is raw pixels."""
    model = ResNet8()
    weights = _arrays("cifar10_resnet8_mlperf_tiny.npz")

    def take(kind: str, index: int, what: str) -> torch.Tensor:
        """Remove one array; Keras omits the number 0 from layer names."""
        return torch.from_numpy(weights.pop(f"{kind}{f'_{index}' if index else ''}/{what}:0"))

    state = {}
    for i in range(len(model.convs)):
        state[f"convs.{i}.weight"] = take("conv2d", i, "kernel").permute(3, 2, 0, 1)  # from HWIO
        state[f"convs.{i}.bias"] = take("conv2d", i, "bias")
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
             "running_var": "moving_variance"}  # fmt: skip
    for i in range(len(model.norms)):
        for ours, theirs in names.items():
            state[f"norms.{i}.{ours}"] = take("batch_normalization", i, theirs)
    state["dense.weight"] = take("dense", 0, "kernel").T
    state["dense.bias"] = take("dense", 0, "bias")
    _load(model, state)
    if weights:
        raise ValueError(f"cifar10_resnet8_mlperf_tiny.npz: unknown weights {sorted(weights)}")
    return model.eval()


def _arrays(name: str) -> dict[str, np.ndarray]:
    with np.load(data_folder(name) / name, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def _load(model: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Load every weight except the batch norms' counters, which evaluation does not read."""
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"weights: missing {missing}, unknown {unexpected}")
