"""Rules of OpGraph and FloatGraph: one tiny bad graph per message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hwgen.conversion.float_graph import (
    FloatConv2d,
    FloatFlatten,
    FloatGraph,
    FloatIdentity,
    FloatLinear,
    FloatMaxPool,
    Population,
)
from hwgen.conversion.op_graph import (
    AddOp,
    AffineOp,
    AveragePoolOp,
    ClampOp,
    ConvOp,
    GraphError,
    LinearOp,
    MaxPoolOp,
    Op,
    OpGraph,
    PadOp,
    ReshapeOp,
)

NONE = (0, 0, 0, 0)


def op(kind: type[Op], name: str, source: str, shape: tuple[int, ...], **rest: Any) -> Op:
    return kind(name=name, source=source, where=name, shape=shape, **rest)


def conv(shape: tuple[int, ...] = (3, 4, 4), **rest: Any) -> Op:
    defaults = {
        "weights": np.ones((3, 2, 3, 3)), "bias": np.zeros(3), "stride": (1, 1),
        "padding": (1, 1, 1, 1), "groups": 1,
    }  # fmt: skip
    return op(ConvOp, "conv", "input", shape, **defaults | rest)


def ops(*those: Op, output: str | None = None) -> OpGraph:
    return OpGraph(input_shape=(2, 4, 4), ops=those, output=output or those[-1].name)


RELU = op(ClampOp, "relu", "conv", (3, 4, 4), low=0.0)
LEGAL_OPS = [
    ops(conv(), RELU, op(ReshapeOp, "flat", "relu", (48,)),
        op(LinearOp, "fc", "flat", (5,), weights=np.ones((5, 48)), bias=np.zeros(5))),
    ops(conv(), op(AffineOp, "bn", "conv", (3, 4, 4), scale=np.ones(3), offset=np.ones(3)),
        op(AddOp, "sum", "bn", (3, 4, 4), others=("conv",), factors=(1.0, -1.0))),
    ops(op(PadOp, "pad", "input", (2, 6, 7), padding=(1, 1, 1, 2), value=0.5),
        op(MaxPoolOp, "max", "pad", (2, 3, 3), kernel=(2, 2), stride=(2, 2), padding=NONE),
        op(AveragePoolOp, "mean", "max", (2, 1, 1), kernel=(3, 3), stride=(1, 1), padding=NONE,
           divisor=9.0)),
    ops(op(ConvOp, "wise", "input", (4, 2, 2), weights=np.ones((4, 1, 3, 3)), bias=np.zeros(4),
           stride=(1, 1), padding=NONE, groups=2)),
]  # fmt: skip


@pytest.mark.parametrize("graph", LEGAL_OPS)
def test_legal_operations(graph: OpGraph) -> None:
    graph.verify()


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (ops(conv(), RELU, RELU), "^relu: name must be unique"),
        (ops(conv(), replace(RELU, name="input")), "^input: name must be unique"),
        (ops(RELU), "^relu: source 'conv' must be an earlier node; available: input"),
        (ops(conv((3, 4, 5))), r"^conv: shape \(3, 4, 5\) must be \(3, 4, 4\)"),
        (ops(conv(weights=np.ones((3, 3, 3, 3)))), r"^conv: weights .* must be \(3, 2, 3, 3\)"),
        (ops(conv(weights=np.ones((3, 2)))), r"^conv: weights \(3, 2\) must have 4 axes"),
        (ops(conv(bias=np.zeros(4))), r"^conv: bias \(4,\) must be \(3,\)"),
        (ops(conv(weights=np.full((3, 2, 3, 3), np.nan))), "^conv: weights must be finite"),
        (ops(conv(bias=np.full(3, np.inf))), "^conv: bias must be finite"),
        (
            ops(conv(weights=np.ones((3, 2, 9, 3)))),
            r"^conv: window \(9, 3\) must fit the padded map \(6, 6\)",
        ),
        (
            ops(op(LinearOp, "fc", "input", (5,), weights=np.ones((5, 32)), bias=np.zeros(5))),
            r"^fc: weights \(5, 32\) must be \(5, 2, 4, 4\)",
        ),
        (
            ops(conv(), op(AffineOp, "bn", "conv", (3, 4, 4), scale=np.ones(2), offset=np.ones(3))),
            r"^bn: scale \(2,\) must be \(3,\)",
        ),
        (
            ops(conv(), op(AddOp, "sum", "conv", (3, 4, 4), others=("input",), factors=(1.0, 1.0))),
            r"^sum: sources must have one shape, not \(\(3, 4, 4\), \(2, 4, 4\)\)",
        ),
        (
            ops(conv(), op(AddOp, "sum", "conv", (3, 4, 4), others=("conv",), factors=(1.0,))),
            r"^sum: factors \(1,\) must be \(2,\)",
        ),
        (ops(op(ReshapeOp, "flat", "input", (33,))), r"^flat: \(33,\) must hold 32 values"),
        (
            ops(op(ReshapeOp, "flat", "input", (32,)),
                op(MaxPoolOp, "max", "flat", (1,), kernel=(2, 2), stride=(2, 2), padding=NONE)),
            r"^max: source must be maps, not \(32,\)",
        ),
        (ops(conv(), output="fc"), "^output 'fc' must be an operation"),
    ],
)  # fmt: skip
def test_operations_that_break_a_rule(graph: OpGraph, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        graph.verify()


def population(name: str = "a", source: str = "input", **rest: Any) -> Population:
    projection = FloatConv2d(source=source, weights=np.ones((3, 2, 3, 3)), padding=(1, 1, 1, 1))
    return Population(**{"name": name, "projections": (projection,), "bias": np.zeros(3)} | rest)


FLAT = FloatFlatten(name="flat", source="a")
END = Population(
    name="end", projections=(FloatLinear(source="flat", weights=np.ones((5, 48))),),
    bias=np.zeros(5), fires=False,
)  # fmt: skip


def floats(*nodes: Any) -> FloatGraph:
    return FloatGraph(input_shape=(2, 4, 4), nodes=nodes)


def graph_of(*projections: Any) -> FloatGraph:
    return floats(population(projections=projections), FLAT, END)


def conv_of(*shape: int, **rest: Any) -> FloatConv2d:
    return FloatConv2d(source="input", weights=np.ones(shape), **rest)


def test_legal_populations() -> None:
    floats(population(), FLAT, END).verify()
    same = FloatIdentity(source="a", weights=np.ones(3))
    twice = population("b", projections=(same, replace(same, weights=-np.ones(3))))
    pool = FloatMaxPool(name="pool", source="b", kernel=(2, 2), stride=(1, 1), padding=(1, 1, 0, 0))
    floats(population(), twice, pool, replace(FLAT, source="pool"), END).verify()


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (floats(population(), population(), FLAT, END), "^a: name must be unique"),
        (floats(FLAT, population(), END), "^flat: source 'a' must be an earlier node; available"),
        (floats(population(), FLAT), "^the last node, and no other, must be a readout, not \\[\\]"),
        (
            floats(population(fires=False), FLAT, END),
            r"^the last node, and no other, must be a readout, not \['a', 'end'\]",
        ),
        (floats(), "^the last node, and no other, must be a readout"),
        (floats(population(bias=np.zeros(2)), FLAT, END), r"^a: bias \(2,\) must be \(3,\)"),
        (floats(population(bias=np.full(3, np.nan)), FLAT, END), "^a: bias must be finite"),
        (
            graph_of(conv_of(3, 1, 1, 1)),
            r"^a: weights \(3, 1, 1, 1\) must be \(3, 2, 1, 1\)",
        ),
        (
            graph_of(conv_of(3, 2, 1, 1, pad_value=np.zeros(3))),
            r"^a: pad_value \(3,\) must be \(2,\)",
        ),
        (
            graph_of(FloatLinear(source="input", weights=np.ones((3, 32)))),
            r"^a: source 'input' must be flat, not \(2, 4, 4\)",
        ),
        (
            graph_of(FloatIdentity(source="input", weights=np.ones(3))),
            r"^a: weights \(3,\) must be \(2,\)",
        ),
        (
            graph_of(conv_of(3, 2, 1, 1), conv_of(3, 2, 3, 3)),
            "^a: sums of projections must agree",
        ),
        (
            floats(
                population(), FloatMaxPool(name="pool", source="a", kernel=(5, 1), stride=(1, 1)),
                replace(FLAT, source="pool"), END,
            ),
            r"^pool: window \(5, 1\) must fit the padded map \(4, 4\)",
        ),
        (
            floats(population(), FLAT, replace(END, projections=(
                FloatLinear(source="flat", weights=np.ones((5, 47))),))),
            r"^end: weights \(5, 47\) must be \(5, 48\)",
        ),
    ],
)  # fmt: skip
def test_populations_that_break_a_rule(graph: FloatGraph, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        graph.verify()
