"""Warnings of methods about models that their papers do not mean."""

from __future__ import annotations

from hwgen.caution import warn
from hwgen.conversion.op_graph import (
    AffineOp,
    ClampOp,
    ConvOp,
    LinearOp,
    MaxPoolOp,
    OpGraph,
)


def without_biases(graph: OpGraph) -> None:
    """Method "feedback": a threshold that moves scales spikes, but no bias, shift or maximum."""
    pools = sum(isinstance(op, MaxPoolOp) for op in graph.ops)
    biases = sum(isinstance(op, ConvOp | LinearOp) and bool(op.bias.any()) for op in graph.ops)
    shifts = sum(isinstance(op, AffineOp) and bool(op.offset.any()) for op in graph.ops)
    counts = {"max-pools": pools, "layers with biases": biases, "batch norms with a shift": shifts}
    found = [f"{count} {what}" for what, count in counts.items() if count]
    if found:
        warn(
            f"method 'feedback' loses accuracy with what its neurons cannot represent; this model "
            f"has {', '.join(found)}: make one without by hwgen.conversion.adjust, and train it"
        )


def clipped(graph: OpGraph) -> None:
    """Method "threshold_relu": only a clipped ReLU gives thresholds of its own."""
    clamps = [op for op in graph.ops if isinstance(op, ClampOp)]
    plain = [op for op in clamps if op.high == float("inf")]
    if plain:
        same = ", so the network is that of method 'ecc'" if len(plain) == len(clamps) else ""
        warn(
            f"method 'threshold_relu' needs clipped ReLUs, but {len(plain)} of {len(clamps)} are "
            f"not, the first {plain[0].where}{same}; train with ReLU6 or clamp(0, c), or use "
            f"another method"
        )
