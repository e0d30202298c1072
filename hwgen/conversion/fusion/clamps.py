"""Merging of consecutive clamps with nothing but pools and views between them."""

from __future__ import annotations

from dataclasses import replace

from hwgen.conversion.op_graph import AddOp, ClampOp, MaxPoolOp, Op, OpGraph, ReshapeOp


def merge_clamps(graph: OpGraph) -> OpGraph:
    """Merge ReLU … clamp(0, c) into one clamp, so that the neuron itself saturates.

    A clamp commutes with a max-pool, which is monotone, and with a view.
    """
    ops: dict[str, Op] = {op.name: op for op in graph.ops}
    origins = {name: name for name in ops}
    for op in graph.ops:
        if isinstance(op, ClampOp) and (first := _clamp_before(ops, op)) is not None:
            low, high = max(first.low, op.low), min(first.high, op.high)
            if low > high:
                continue  # no range is left: fusion refuses the second one
            ops[first.name] = replace(first, low=low, high=high)
            del ops[op.name]
            name = op.source  # from there to the first clamp values are those after the clamp now
            del origins[op.name]
            while name != first.name:
                origins.pop(name, None)
                name = ops[name].source
            origins.pop(first.name, None)
            origins[op.source] = op.name
            for user in [user for user in ops.values() if op.name in user.sources]:
                ops[user.name] = _renamed(user, op.name, op.source)
            if graph.output == op.name:
                graph = replace(graph, output=op.source)
    return replace(graph, ops=tuple(ops.values()), origins=origins)


def _clamp_before(ops: dict[str, Op], op: Op) -> ClampOp | None:
    """The clamp before ``op`` whose values reach only ``op``."""
    while True:
        if sum(op.source in user.sources for user in ops.values()) != 1 or op.source not in ops:
            return None
        op = ops[op.source]
        if isinstance(op, ClampOp):
            return op
        if not isinstance(op, MaxPoolOp | ReshapeOp):
            return None


def _renamed(op: Op, old: str, new: str) -> Op:
    """``op`` reading ``new`` wherever it read ``old``."""
    names = [new if name == old else name for name in op.sources]
    if isinstance(op, AddOp):
        return replace(op, source=names[0], others=tuple(names[1:]))
    return replace(op, source=names[0])
