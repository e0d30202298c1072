"""Estimated LUTs and block RAMs of units on an ECP5, against out-of-context synthesis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen import boards
from hwgen.generation.design import unit_files
from hwgen.network import (
    DOUBLE,
    Conv2d,
    Flatten,
    Identity,
    Input,
    InverseLeak,
    InverseLeakyNeuron,
    Layer,
    Linear,
    MaxPool2d,
    Network,
    Projection,
    Readout,
    SoftResetNeuron,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.cost.area import encoder_usage, plan_usage, stage_usage
from hwgen.plan.units.options import PlanOptions
from hwgen.synthesis.netlist import synthesise_out_of_context, total

TOLERANCE = 0.15


def network(leak: InverseLeak = DOUBLE) -> Network:
    """16 channels of 8×8: "first" 1×1, "sum" 3×3 and an identity, "pool", "hidden", "out"."""
    rng = np.random.default_rng(11)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-127, 128, shape).astype(np.int32)

    def layer(name: str, count: int, *projections: Projection, last: bool = False) -> Layer:
        threshold = rng.integers(1000, 9000, count).astype(np.int64)
        fires = InverseLeakyNeuron(threshold=threshold, timesteps=4, leak=leak)
        neuron = Readout() if last else fires
        bias = rng.integers(-5000, 5000, count).astype(np.int64)
        return Layer(name=name, projections=projections, bias=bias, neuron=neuron)

    kernel = Conv2d(source="first", weights=weights(16, 16, 3, 3), padding=(1, 1, 1, 1))
    return Network(
        name="net",
        input=Input(shape=(8, 8, 8), timesteps=4),
        nodes=(
            layer("first", 16, Conv2d(source="input", weights=weights(16, 8, 1, 1))),
            layer("sum", 16, kernel, Identity(source="first", weights=weights(16))),
            MaxPool2d(name="pool", source="sum", kernel=(2, 2), stride=(2, 2)),
            Flatten(name="flat", source="pool"),
            layer("hidden", 32, Linear(source="flat", weights=weights(32, 256))),
            layer("out", 10, Linear(source="hidden", weights=weights(10, 32)), last=True),
        ),
    )


CASES: list[tuple[str, dict[str, Any]]] = [
    ("sum", {"lanes": 16, "scanners": 2, "weight_memory": "block"}),
    ("hidden", {"lanes": 16, "weight_memory": "block"}),
    ("sum", {"lanes": 8, "weight_memory": {"sum": ("lut", "lut")}}),
]
MORE: list[tuple[str, dict[str, Any]]] = [
    ("first", {}),
    ("sum", {"lanes": 4, "scanners": 3, "schedule": "time"}),
    ("sum", {"membrane_lanes": 16, "pipeline": "alternate"}),
    ("hidden", {"lanes": 32, "scanners": 2, "weight_memory": "split"}),
    ("pool", {}),
    ("out", {}),
]


LEAKS: list[tuple[str, dict[str, Any], InverseLeak]] = [
    ("sum", {"membrane_lanes": {"sum": 8}}, InverseLeak(n=77, m=7)),
    ("hidden", {}, InverseLeak(n=1, m=1)),
    ("out", {}, InverseLeak(n=5, m=3)),
]


def check(node: str, options: dict[str, Any], folder: Path, net: Network | None = None) -> None:
    net = net or network()
    plan = make_plan(net, PlanOptions(**options))
    expected = stage_usage(next(stage for stage in plan.stages if stage.node == node))
    files = unit_files(net, plan, node)
    units = synthesise_out_of_context(boards.load("ulx3s-85f"), files, top="unit", folder=folder)
    used = total(units)
    assert abs(expected.lut4 / used["lut4"] - 1) <= TOLERANCE, (expected, used)
    assert abs(expected.block_rams - used["block_ram"]) <= max(1, TOLERANCE * used["block_ram"])


# Encoders (code, shape, timesteps, LUT4, block RAMs) as synthesised by yosys 0.70; 8-bit pixels.
ENCODERS = [
    ("radix", (3, 32, 32), 4, 193, 2),
    ("radix", (16, 8, 8), 8, 394, 4),
    ("direct", (1, 28, 28), 16, 198, 1),
    ("ttfs", (1, 28, 28), 16, 208, 1),
    ("ttfs", (16, 8, 8), 16, 459, 4),
    ("rate", (3, 32, 32), 16, 339, 3),
    ("rate", (16, 8, 8), 16, 672, 4),
    ("poisson", (1, 28, 28), 16, 484, 1),
    ("poisson", (3, 16, 16), 16, 527, 1),
    ("poisson", (16, 8, 8), 8, 1121, 4),
    ("events", (1, 28, 28), 8, 183, 2),
    ("events", (2, 34, 34), 16, 251, 2),
    ("events", (2, 128, 128), 16, 241, 4),
    ("events", (4, 32, 32), 32, 270, 2),
    ("events", (16, 8, 8), 16, 650, 0),
]


@pytest.mark.parametrize(("code", "shape", "timesteps", "lut4", "block_rams"), ENCODERS)
def test_estimate_of_an_encoder(
    code: str, shape: tuple[int, int, int], timesteps: int, lut4: int, block_rams: int
) -> None:
    source = Input(
        shape=shape, timesteps=timesteps, code=code, pixel_bits=1 if code == "events" else 8
    )
    two_phase = code in ("radix", "ttfs")
    neuron = SoftResetNeuron(threshold=np.full(4, 9), timesteps=timesteps, two_phase=two_phase)
    size = 4 * -(-shape[1] // 8) * -(-shape[2] // 8)
    first = Conv2d(source="input", weights=np.ones((4, shape[0], 1, 1), np.int32), stride=(8, 8))
    last = Linear(source="flat", weights=np.ones((4, size), np.int32))
    zeros = np.zeros(4, np.int64)
    net = Network(
        name="net",
        input=source,
        nodes=(
            Layer(name="first", projections=(first,), bias=zeros, neuron=neuron),
            Flatten(name="flat", source="first"),
            Layer(name="last", projections=(last,), bias=zeros, neuron=Readout()),
        ),
    )
    expected = encoder_usage(make_plan(net, PlanOptions(lanes=2)).encoder)
    assert abs(expected.lut4 / lut4 - 1) <= TOLERANCE, expected
    assert abs(expected.block_rams - block_rams) <= 1


@pytest.mark.parametrize(("node", "options"), CASES)
def test_estimate_of_a_layer(node: str, options: dict[str, Any], tmp_path: Path) -> None:
    check(node, options, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("node", "options"), MORE)
def test_estimate_of_other_units(node: str, options: dict[str, Any], tmp_path: Path) -> None:
    check(node, options, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["row", "time"])
def test_estimate_of_direct_input(schedule: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    weights = rng.integers(-127, 128, (16, 4, 3, 3)).astype(np.int32)
    neuron = SoftResetNeuron(
        threshold=rng.integers(10_000, 90_000, 16).astype(np.int64), timesteps=8, two_phase=False
    )
    first = Layer(
        name="first",
        projections=(Conv2d(source="input", weights=weights, padding=(1, 1, 1, 1)),),
        bias=rng.integers(-5000, 5000, 16).astype(np.int64),
        neuron=neuron,
    )
    out = Layer(
        name="out",
        projections=(Linear(source="flat", weights=np.ones((2, 1024), np.int32)),),
        bias=np.zeros(2, np.int64),
        neuron=Readout(),
    )
    net = Network(
        name="net",
        input=Input(shape=(4, 8, 8), timesteps=8, code="direct"),
        nodes=(first, Flatten(name="flat", source="first"), out),
    )
    check("first", {"schedule": schedule}, tmp_path, net)


@pytest.mark.slow
@pytest.mark.parametrize(("node", "options", "leak"), LEAKS)
def test_estimate_of_leaks_below_2(
    node: str, options: dict[str, Any], leak: InverseLeak, tmp_path: Path
) -> None:
    check(node, options, tmp_path, network(leak))


def test_more_units_cost_more() -> None:
    def luts(**options: Any) -> float:
        return sum(
            usage.lut4
            for usage in plan_usage(make_plan(network(), PlanOptions(**options))).values()
        )

    fixed = {"weight_memory": "block", "membrane_lanes": {"sum": 4}}
    assert luts(lanes=8, **fixed) < luts(lanes=16, **fixed) < luts(lanes=16, scanners=2, **fixed)
    assert luts(**fixed, counters=False) < luts(**fixed)
    wide = {**fixed, "membrane_lanes": {"sum": 8}}
    assert luts(lanes=16, **fixed) < luts(lanes=16, **wide)
