"""Estimated LUTs and block RAMs of units on an ECP5, against out-of-context synthesis."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

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
from tests.support.cases import case_id

TOLERANCE, MORE_FF = 0.15, 0.3


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
    assert used["ff"] <= expected.ff <= (1 + MORE_FF) * used["ff"]
    assert abs(expected.block_rams - used["block_ram"]) <= max(1, TOLERANCE * used["block_ram"])


class Encoder(NamedTuple):
    """Cells of an encoder as synthesised by yosys 0.70; pixels have 8 bits."""

    code: str
    shape: tuple[int, int, int]
    timesteps: int
    lut4: int
    block_rams: int


ENCODERS = [
    Encoder(code="radix", shape=(3, 32, 32), timesteps=4, lut4=193, block_rams=2),
    Encoder(code="radix", shape=(16, 8, 8), timesteps=8, lut4=394, block_rams=4),
    Encoder(code="direct", shape=(1, 28, 28), timesteps=16, lut4=198, block_rams=1),
    Encoder(code="ttfs", shape=(1, 28, 28), timesteps=16, lut4=208, block_rams=1),
    Encoder(code="ttfs", shape=(16, 8, 8), timesteps=16, lut4=459, block_rams=4),
    Encoder(code="rate", shape=(3, 32, 32), timesteps=16, lut4=339, block_rams=3),
    Encoder(code="rate", shape=(16, 8, 8), timesteps=16, lut4=672, block_rams=4),
    Encoder(code="poisson", shape=(1, 28, 28), timesteps=16, lut4=484, block_rams=1),
    Encoder(code="poisson", shape=(3, 16, 16), timesteps=16, lut4=527, block_rams=1),
    Encoder(code="poisson", shape=(16, 8, 8), timesteps=8, lut4=1121, block_rams=4),
    Encoder(code="events", shape=(1, 28, 28), timesteps=8, lut4=183, block_rams=2),
    Encoder(code="events", shape=(2, 34, 34), timesteps=16, lut4=251, block_rams=2),
    Encoder(code="events", shape=(2, 128, 128), timesteps=16, lut4=241, block_rams=4),
    Encoder(code="events", shape=(4, 32, 32), timesteps=32, lut4=270, block_rams=2),
    Encoder(code="events", shape=(16, 8, 8), timesteps=16, lut4=650, block_rams=0),
]


@pytest.mark.parametrize("encoder", ENCODERS, ids=case_id)
def test_estimate_of_an_encoder(encoder: Encoder) -> None:
    code, shape, timesteps = encoder.code, encoder.shape, encoder.timesteps
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
    assert abs(expected.lut4 / encoder.lut4 - 1) <= TOLERANCE, expected
    assert abs(expected.block_rams - encoder.block_rams) <= 1


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
