"""Models whose branches join again, on images of shape (3, 12, 12) and with 5 classes."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import nn
from torch.nn import functional as F

from tests.support.float_models import Forward

Make = Callable[[], Forward]


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, **options) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False, **options),
        nn.BatchNorm2d(outputs),
    )


def _net(body: Callable, features: int, **modules: nn.Module) -> Make:
    """A convolution with ReLU to 4 channels, ``body``, a classifier."""

    def forward(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
        return m.fc(body(m, F.relu(m.stem(x))).flatten(1))

    def make() -> Forward:
        """Build the model with new modules and weights on every call."""
        model = Forward(forward, stem=_conv(3, 4), fc=nn.Linear(features, 5), **deepcopy(modules))
        for module in model.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        return model

    return make


def _option_a(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    shortcut = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))
    return F.relu(m.a(x) + shortcut)


def _in_place(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    y = m.b(F.relu(m.a(x)))
    y += x
    return F.relu(y)


def _two_readers(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    y = F.relu(m.a(x))
    return F.relu(m.b(y) + m.c(y) - 0.5 * x + y)


def _bottlenecks(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """MobileNet-v2: expand, depthwise, project without ReLU; the second block adds its input."""
    x = m.p1(F.relu6(m.d1(F.relu6(m.e1(x)))))
    x = x + m.p2(F.relu6(m.d2(F.relu6(m.e2(x)))))
    return F.relu6(m.e3(x)).mean((2, 3))


def _pre_activation(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    for bn, conv in ((m.n1, m.a), (m.n2, m.b)):
        x = x + conv(F.relu(bn(x)))
    return F.relu(m.n3(x))


def _dw(channels: int, stride: int = 1) -> nn.Sequential:
    return _conv(channels, channels, 3, stride, groups=channels)


RESIDUAL: dict[str, Make] = {
    "identity": _net(lambda m, x: F.relu(m.b(F.relu(m.a(x))) + x), 576,
                     a=_conv(4, 6), b=_conv(6, 4)),
    "in place": _net(_in_place, 576, a=_conv(4, 6), b=_conv(6, 4)),
    "strided 1×1": _net(lambda m, x: F.relu(m.b(F.relu(m.a(x))) + m.c(x)), 216,
                        a=_conv(4, 6, stride=2), b=_conv(6, 6), c=_conv(4, 6, 1, 2)),
    "option A": _net(_option_a, 288, a=_conv(4, 8, stride=2)),
    "three branches": _net(lambda m, x: F.relu(x + m.a(x) + m.b(x)), 576,
                           a=_conv(4, 4), b=_conv(4, 4, 1)),
    "several readers": _net(_two_readers, 576, a=_conv(4, 4), b=_conv(4, 4), c=_conv(4, 4)),
    "difference": _net(lambda m, x: F.relu(torch.sub(x, m.a(x), alpha=2)), 576, a=_conv(4, 4)),
    "twice the same": _net(lambda m, x: F.relu(m.a(x + x)), 576, a=_conv(4, 4)),
    "sum without ReLU, averaged": _net(lambda m, x: (x + m.a(x)).mean((2, 3)), 4, a=_conv(4, 4)),
    "sum without ReLU, flattened": _net(lambda m, x: x + m.a(x), 576, a=_conv(4, 4)),
    "sum, then conv": _net(lambda m, x: F.relu(m.b(x + m.a(x))), 576,
                           a=_conv(4, 4), b=_conv(4, 4)),
    "relu6 sum": _net(lambda m, x: F.relu6(x + m.a(x)), 576, a=_conv(4, 4)),
    "averaged shortcut": _net(lambda m, x: F.relu(F.avg_pool2d(x, 2) + m.a(x)), 144,
                              a=_conv(4, 4, stride=2)),
    "pooled branches": _net(lambda m, x: F.relu(F.max_pool2d(x, 2) + F.max_pool2d(m.a(x), 2)),
                            144, a=_conv(4, 4)),
    "features": _net(lambda m, x: F.relu(m.a(x.flatten(1)) + m.b(x.mean((2, 3)))), 7,
                     a=nn.Linear(576, 7), b=nn.Linear(4, 7)),
    "linear bottlenecks": _net(
        _bottlenecks, 12, e1=_conv(4, 8, 1), d1=_dw(8), p1=_conv(8, 3, 1),
        e2=_conv(3, 9, 1), d2=_dw(9), p2=_conv(9, 3, 1), e3=_conv(3, 12, 1)),
    "pre-activation": _net(_pre_activation, 576, a=_conv(4, 4), b=_conv(4, 4),
                           **{f"n{i}": nn.BatchNorm2d(4) for i in (1, 2, 3)}),
    "depthwise, separable": _net(
        lambda m, x: F.relu(m.b(F.relu(m.p(m.a(x))))), 72,
        a=_dw(4, 2), p=_conv(4, 8, 1), b=nn.Conv2d(8, 8, 4, groups=4, stride=2, padding=1)),
    "TensorFlow's same": _net(lambda m, x: F.relu(m.a(F.pad(x, (0, 1, 0, 1)))), 144,
                              a=nn.Conv2d(4, 4, 3, 2)),
    "channels of a slice": _net(lambda m, x: F.relu(m.a(x[:, 1:3])), 576, a=_conv(2, 4)),
    "max-pool of a linear map": _net(
        lambda m, x: F.relu(m.b(F.max_pool2d(m.a(x), 3, 2, 1))), 144, a=_conv(4, 4),
        b=_conv(4, 4)),
    "average of a linear map": _net(
        lambda m, x: F.relu(m.b(F.avg_pool2d(x - 1.5 * m.a(x), 2))), 144, a=_conv(4, 4),
        b=_conv(4, 4)),
}  # fmt: skip
