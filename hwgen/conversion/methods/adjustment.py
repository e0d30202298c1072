"""Adjustment of a CNN for conversion: ReLU, no biases, average pools (Shang, Li, You, III.A).

::

    LeakyReLU             ReLU                    rates have no sign
    Conv, Linear          the same, bias = 0
    batch norm            RootMeanSquareNorm      the gain γ/σ stays, the shift β − γμ/σ goes
    max-pool              average pool            of the same windows

Everything else stays as it is. The adjusted model is to be trained again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F

from hwgen.conversion.frontend.torch_program import MODEL_ERRORS
from hwgen.errors import ConversionError

_BIASED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


class RootMeanSquareNorm(nn.Module):
    """A batch norm without a shift: y = γ·x / √(E[x²] + ε), γ and E per channel (axis 1).

    In training E[x²] is the batch's, otherwise a running mean. Parameters are those of
    :class:`torch.nn.BatchNorm2d`.
    """

    running_square: torch.Tensor
    zero: torch.Tensor

    def __init__(self, features: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(features))
        self.register_buffer("running_square", torch.ones(features))
        self.register_buffer("zero", torch.zeros(features), persistent=False)

    @classmethod
    def of(cls, norm: nn.modules.batchnorm._BatchNorm) -> RootMeanSquareNorm:
        """Norm with the gain γ/σ and the statistics of ``norm``."""
        mean, variance = norm.running_mean, norm.running_var
        if mean is None or variance is None:
            raise ConversionError(
                "a batch norm without running statistics has no gain of its own; use "
                "track_running_stats=True"
            )
        momentum = 0.1 if norm.momentum is None else norm.momentum
        made = cls(norm.num_features, eps=norm.eps, momentum=momentum).to(mean)
        square = variance + mean.square()
        gain = ((square + norm.eps) / (variance + norm.eps)).sqrt()
        with torch.no_grad():
            made.running_square.copy_(square)
            made.weight.copy_(gain if norm.weight is None else norm.weight * gain)
        return made

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        square = self.running_square
        if self.training:
            square = x.square().mean(dim=[0, *range(2, x.ndim)])
            with torch.no_grad():
                self.running_square.lerp_(square, self.momentum)
            return x * (self.weight / (square + self.eps).sqrt()).view(-1, *(1,) * (x.ndim - 2))
        return F.batch_norm(x, self.zero, square, self.weight, None, eps=self.eps)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}, momentum={self.momentum}"


def adjust(model: nn.Module) -> tuple[nn.Module, list[str]]:
    """An adjusted copy of ``model``, and one line of text per change.

    Modules are replaced. A forward that calls max-pools or leaky ReLUs as functions is traced and
    becomes a :class:`torch.fx.GraphModule`; modules keep their names. In a forward that torch.fx
    cannot trace, functions stay as they are.

    Raises
    ------
    ConversionError
        A part has no counterpart: a max-pool with dilation or indices; a batch norm without
        statistics; functions to be replaced in a forward that depends on training mode.
    """
    adjusted = copy.deepcopy(model)
    changes: list[str] = []
    made: dict[nn.Module, nn.Module] = {}
    if (own := _replaced(adjusted, "model", changes)) is not adjusted:
        return own, changes
    for path, parent in list(adjusted.named_modules(remove_duplicate=False)):
        for name, child in list(parent._modules.items()):
            if child is None:
                continue
            where = f"{path}.{name}" if path else name
            if child not in made:  # a shared module stays shared
                made[child] = _replaced(child, where, changes)
            setattr(parent, name, made[child])
    return _functions_replaced(adjusted, changes), changes


def _replaced(module: nn.Module, where: str, changes: list[str]) -> nn.Module:
    kind = type(module).__name__
    new = module
    try:
        match module:
            case nn.LeakyReLU():
                new = nn.ReLU(inplace=module.inplace)
            case nn.MaxPool1d():
                _require_plain(module)
                new = nn.AvgPool1d(_one(module.kernel_size), _one(module.stride),
                                   _one(module.padding), ceil_mode=module.ceil_mode)  # fmt: skip
            case nn.MaxPool2d():
                _require_plain(module)
                new = nn.AvgPool2d(module.kernel_size, module.stride, module.padding,
                                   ceil_mode=module.ceil_mode)  # fmt: skip
            case nn.AdaptiveMaxPool2d():
                _require_plain(module)
                new = nn.AdaptiveAvgPool2d(module.output_size)
            case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.BatchNorm3d():
                new = RootMeanSquareNorm.of(module)
    except ConversionError as error:
        raise ConversionError(f"{where} ({kind}): {error}") from error
    if new is not module:
        changes.append(f"{where}: {kind} → {type(new).__name__}")
        new.train(module.training)
    elif isinstance(module, _BIASED) and module.bias is not None:
        module.bias = None
        changes.append(f"{where}: {kind} without bias")
    return new


def _one(value: int | tuple[int, ...]) -> int:
    return value if isinstance(value, int) else value[0]


def _require_plain(pool: Any) -> None:
    dilation = getattr(pool, "dilation", 1)
    sizes = (dilation,) if isinstance(dilation, int) else dilation
    if any(size != 1 for size in sizes) or pool.return_indices:
        raise ConversionError(
            "an average pool has neither dilation nor indices; use a max-pool without them"
        )


# --- functions --------------------------------------------------------------------------------


def _leaky(x: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    return F.relu(x, inplace=inplace)


def _pool(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    if dilation not in (1, (1, 1), [1, 1]) or return_indices:
        raise ConversionError(
            "a max_pool2d with dilation or indices has no average pool; use one without them"
        )
    return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode)


def _adaptive(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    return F.adaptive_avg_pool2d(x, output_size)


_FUNCTIONS: dict[Any, tuple[Callable[..., Any], str]] = {
    F.leaky_relu: (_leaky, "leaky_relu → relu"),
    F.max_pool2d: (_pool, "max_pool2d → avg_pool2d"),
    torch.max_pool2d: (_pool, "max_pool2d → avg_pool2d"),
    F.adaptive_max_pool2d: (_adaptive, "adaptive_max_pool2d → adaptive_avg_pool2d"),
}


def _functions_replaced(model: nn.Module, changes: list[str]) -> nn.Module:
    """``model``, or its trace if its forward calls functions that must be replaced."""
    modes = {module: module.training for module in model.modules()}
    try:
        traces = [_Tracer().trace(model.train(mode)) for mode in (False, True)]
    except (*MODEL_ERRORS, fx.proxy.TraceError):
        return model
    finally:
        for module, training in modes.items():
            module.training = training
    graph = traces[0]
    nodes = [
        node for node in graph.nodes if node.op == "call_function" and node.target in _FUNCTIONS
    ]
    if not nodes:
        return model
    if str(graph) != str(traces[1]):
        raise ConversionError(
            f"the forward calls {nodes[0].name} as a function and depends on training mode, so it "
            f"cannot be traced; use modules for pools, leaky ReLUs and dropout"
        )
    for node in nodes:
        function, change = _FUNCTIONS[node.target]
        node.target = function
        changes.append(f"forward, {node.name}: {change}")
    made = fx.GraphModule(model, graph)
    made.training = model.training
    return made


class _Tracer(fx.Tracer):
    """Treats the norms as leaves, as they behave differently in training."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, RootMeanSquareNorm) or super().is_leaf_module(m, module_qualified_name)
