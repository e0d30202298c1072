"""VGG-16 and MobileNet-v2 with random weights, for 32 × 32 images.

Batch norms take the statistics of random images, so that activations are as large as in a trained
network.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

VGG16 = (64, 64, "P", 128, 128, "P", 256, 256, 256, "P", 512, 512, 512, "P", 512, 512, 512, "P")
# expansion, output channels, blocks, stride of the first (Sandler et al., 2018, Table 2); the
# first strides are 1, as is usual for 32 × 32 images.
MOBILENET_V2 = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip


def vgg16(classes: int = 10) -> nn.Module:
    """13 convolutions with batch norm, 5 max-pools, one linear layer: 14.7 M weights."""
    layers: list[nn.Module] = []
    channels = 3
    for size in VGG16:
        if isinstance(size, str):
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [
            nn.Conv2d(channels, size, 3, padding=1, bias=False),
            nn.BatchNorm2d(size),
            nn.ReLU(),
        ]
        channels = size
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels, classes))


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Bottleneck(nn.Module):
    """Expansion, depthwise convolution, projection without ReLU; residual if shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        expand = [_conv(inputs, wide, 1), nn.ReLU6()] if expansion > 1 else []
        self.body = nn.Sequential(
            *expand, _conv(wide, wide, 3, stride, groups=wide), nn.ReLU6(), _conv(wide, outputs, 1)
        )
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.body(x)
        return x + y if self.adds else y


def mobilenet_v2(classes: int = 10) -> nn.Module:
    """MobileNet-v2 of width 1.0 for 32 × 32 images: 2.2 M weights, 17 bottlenecks."""
    layers: list[nn.Module] = [_conv(3, 32, 3), nn.ReLU6()]
    channels = 32
    for expansion, outputs, blocks, stride in MOBILENET_V2:
        for block in range(blocks):
            layers.append(Bottleneck(channels, outputs, expansion, 1 if block else stride))
            channels = outputs
    layers += [_conv(channels, 1280, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(1280, classes))


MODELS = {"vgg16": vgg16, "mobilenet_v2": mobilenet_v2}


def random_model(name: str, seed: int = 0, samples: int = 32) -> nn.Module:
    """Model ``name`` of MODELS in eval mode: random weights, batch-norm statistics set."""
    torch.manual_seed(seed)
    return settled(MODELS[name](), images(samples, seed))


def settled(model: nn.Module, seen: np.ndarray) -> nn.Module:
    """``model`` in eval mode; its batch norms have the statistics of the images ``seen``."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # cumulative mean
                nn.init.uniform_(module.bias, -0.5, 0.5)
        model.train()(torch.from_numpy(seen).float() / 255)
    return model.eval()


def images(samples: int, seed: int = 0) -> np.ndarray:
    """Random images, uint8 (samples, 3, 32, 32), in blocks of 4 × 4."""
    coarse = np.random.default_rng(seed).integers(0, 256, (samples, 3, 8, 8), dtype=np.uint8)
    return np.kron(coarse, np.ones((4, 4), np.uint8))
