"""A call of an ATen operator, and the registry of handlers that turn calls into operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hwgen.conversion.op_graph import Op, Padding, Place


@dataclass(frozen=True)
class Ref:
    """A value that depends on the images: name of its op, and shape without samples."""

    name: str
    shape: tuple[int, ...]


class Refusal(Exception):
    """Reason and remedy for one operator; collected into one :class:`.ConversionError`."""


@dataclass(frozen=True)
class Call:
    """One call of an operator."""

    name: str  # unique, for the op
    where: Place
    shape: tuple[int, ...]  # of the result, without samples
    floating: bool  # whether the result is floating point
    last: bool  # whether only views and activations come after it
    arguments: dict[str, Any]

    def __getitem__(self, argument: str) -> Any:
        return self.arguments[argument]

    def source(self, argument: str = "self") -> Ref:
        """An argument that must depend on the images."""
        value = self.arguments.get(argument, self.arguments.get("input"))
        if not isinstance(value, Ref):
            raise Refusal(f"{argument} must depend on the images, and the weights must not")
        return value

    def array(self, argument: str) -> np.ndarray | None:
        """A constant tensor as float64, or None without one."""
        value = self.arguments.get(argument)
        if value is None:
            return None
        if isinstance(value, Ref):
            raise Refusal(f"{argument} depends on the images; only constants can be weights")
        return finite(torch.as_tensor(value).detach().cpu().double().numpy(), argument)

    def common(self, ref: Ref, suffix: str = "") -> dict[str, Any]:
        """Fields of the op, with the shape of the result."""
        name = self.name + suffix
        return {"name": name, "source": ref.name, "where": self.where, "shape": self.shape}


Handler = Callable[[Call], Ref | Sequence[Op]]
HANDLERS: dict[str, Handler] = {}


def handles(*operators: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(operators, handler))
        return handler

    return register


def finite(array: np.ndarray, what: str) -> np.ndarray:
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise Refusal(
            f"{what} holds {bad} value{'s' if bad > 1 else ''} that {'are' if bad > 1 else 'is'} "
            f"NaN or infinite; train again, or load other weights"
        )
    return array


def pair(value: Any) -> tuple[int, int]:
    values = [int(v) for v in value] if isinstance(value, list | tuple) else [int(value)]
    return (values[0], values[-1])


def four(padding: tuple[int, int]) -> Padding:
    return (padding[0], padding[1], padding[0], padding[1])
