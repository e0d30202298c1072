"""The end of a model: where the logits are, and what comes after them.

A sigmoid, softmax or ReLU at the end says nothing about the class that the logits do not say, and
its rounding or its zeros can hide their order. So it is dropped, and the logits are what it reads.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

VIEWS = (
    *("view", "view_copy", "reshape", "_unsafe_view", "unsafe_view"),
    *("flatten", "unflatten", "squeeze", "unsqueeze"),
)
COPIES = (
    *("contiguous", "clone", "alias", "detach", "lift_fresh_copy"),
    *("to", "_to_copy", "to_copy", "type_as", "float", "positive"),
)
"""Operators that keep all values."""
RISING = ("sigmoid", "log_sigmoid", "tanh")
SOFTMAX = ("softmax", "_softmax", "log_softmax", "_log_softmax")
"""Operators that keep the order of all values, or of the classes'."""
CLAMPS = ("relu", "relu6", "hardtanh", "clamp", "clip", "clamp_min", "clamp_max")
"""Operators that keep the order of values between their bounds, and make others equal."""

_KEPT = frozenset([*VIEWS, *COPIES, "dropout"])
_DROPPED = frozenset([*RISING, *SOFTMAX, *CLAMPS])


def operator_name(node: torch.fx.Node) -> str:
    """``relu`` for ``aten.relu_.default``, ``getitem`` for ``operator.getitem``."""
    target = node.target
    if isinstance(target, torch._ops.OpOverload):
        return str(target._schema.name).split("::")[-1].rstrip("_")
    return str(getattr(target, "__name__", target)).rstrip("_")


def end_of(output: torch.fx.Node) -> frozenset[torch.fx.Node]:
    """Nodes from ``output`` back that are views, copies, and activations that may be dropped."""
    return frozenset(_from_the_end(output))


def logits_of(output: torch.fx.Node) -> torch.fx.Node:
    """The node whose values are the logits: what the first dropped activation reads."""
    dropped = [node for node in _from_the_end(output) if operator_name(node) in _DROPPED]
    return dropped[-1].all_input_nodes[0] if dropped else output


def _from_the_end(output: torch.fx.Node) -> Iterator[torch.fx.Node]:
    node = output
    while node.op == "call_function" and operator_name(node) in _KEPT | _DROPPED:
        yield node
        if not node.all_input_nodes:
            return
        node = node.all_input_nodes[0]
