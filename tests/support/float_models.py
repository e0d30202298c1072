"""Small PyTorch models, and checks of their fused graphs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from hwgen.conversion.calibration.float_run import run_float
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.frontend.torch_program import export
from hwgen.conversion.frontend.torch_trace import trace
from hwgen.conversion.fusion.clamps import merge_clamps
from hwgen.conversion.fusion.fuse import fuse
from hwgen.network import Layer, Network, Readout


class Forward(nn.Module):
    """A forward function over named modules."""

    def __init__(self, forward: Callable[..., torch.Tensor], **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)
        self._forward = forward

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._forward(self, x)


def randomised(model: nn.Module, seed: int = 0) -> nn.Module:
    """``model`` in eval mode, with random means, variances and gains in its batch norms."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            n = module.num_features
            module.running_mean.copy_(torch.randn(n, generator=generator))
            module.running_var.copy_(0.2 + 2 * torch.rand(n, generator=generator))
            if module.weight is not None:
                module.weight.data = 0.5 + torch.rand(n, generator=generator)
                module.bias.data = torch.randn(n, generator=generator)
    return model.eval()


def pixels(shape: tuple[int, ...], seed: int = 0, samples: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (samples, *shape), dtype=np.uint8)


def fused(
    model: nn.Module | torch.export.ExportedProgram,
    shape: tuple[int, int, int],
    scale: float | list[float] = 1 / 255,
    offset: float | list[float] = 0.0,
    *,
    linear: bool = True,
) -> FloatGraph:
    one = np.ones(shape[0])
    graph = merge_clamps(trace(export(model, shape)))
    return fuse(graph, scale=one * scale, offset=one * offset, linear=linear)


def assert_fuses(
    model: nn.Module, shape: tuple[int, int, int] = (3, 12, 12), *, linear: bool = True
) -> FloatGraph:
    """Check that the fused network gives PyTorch's logits; returns the network."""
    images = pixels(shape)
    graph = fused(model, shape, linear=linear)
    with torch.no_grad():
        expected = model(torch.from_numpy(images).float() / 255).numpy()
    assert np.abs(expected).max() > 0.01  # the logits are not all zero
    np.testing.assert_allclose(run_float(graph, images), expected, rtol=2e-4, atol=2e-4)
    return graph


def populations(graph: FloatGraph) -> list[str]:
    return [node.name for node in graph.nodes if isinstance(node, Population)]


def tiny_cnn(seed: int = 0, channels: int = 2, classes: int = 4) -> nn.Sequential:
    """Conv, pool, conv, linear on 8 × 8 images; random weights."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(24, classes),
    ).eval()


def firing(network: Network) -> list[Layer]:
    """Layers of ``network`` except the readout."""
    return [layer for layer in network.layers if not isinstance(layer.neuron, Readout)]


def trained_on_digits(known: np.ndarray, classes: np.ndarray) -> nn.Module:
    """A small CNN trained on images of 8 × 8 pixels."""
    torch.manual_seed(5)
    made = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
    optimiser = torch.optim.Adam(made.parameters(), 0.01)
    x, y = torch.from_numpy(known).float() / 255, torch.from_numpy(classes)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(made(x), y).backward()
        optimiser.step()
    return made.eval()
