# amaranth: UnusedElaboratable=no
"""Core, layers, pools and counters reject bad parameters and expose the accepted ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen.network import (
    Conv2d,
    Flatten,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    MaxPool2d,
    Network,
    Readout,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.layer_constants import layer_constants
from hwgen.rtl.core import Core
from hwgen.rtl.counters import CounterBank
from hwgen.rtl.layer import LayerUnit
from hwgen.rtl.pool import MaxPool
from hwgen.rtl.streams.credit_fifo import CreditFifo
from tests.support.rtl.parameters import check_exposed, check_rejected

NETWORK = Network(
    name="n",
    input=Input(shape=(1, 4, 4), timesteps=2),
    nodes=(
        Layer(
            name="conv",
            projections=(Conv2d(source="input", weights=np.ones((2, 1, 1, 1), dtype=np.int32)),),
            bias=np.zeros(2, dtype=np.int64),
            neuron=InverseLeakyNeuron(threshold=np.array([1, 2]), timesteps=2),
        ),
        MaxPool2d(name="pool", source="conv", kernel=(2, 2), stride=(2, 2)),
        Flatten(name="flat", source="pool"),
        Layer(
            name="out",
            projections=(Linear(source="flat", weights=np.ones((3, 8), dtype=np.int32)),),
            bias=np.zeros(3, dtype=np.int64),
            neuron=Readout(),
        ),
    ),
)
PLAN = make_plan(NETWORK)
CONSTANTS = layer_constants(NETWORK, PLAN)


def test_core() -> None:
    parameters = {"plan": PLAN, "constants": CONSTANTS}
    check_exposed(Core, parameters)
    check_rejected(Core, parameters, "plan", PLAN.encoder)
    with pytest.raises(ValueError, match="constants of out are missing"):
        Core(plan=PLAN, constants={"conv": CONSTANTS["conv"]})


def test_layer() -> None:
    parameters = {"plan": PLAN.layers[0], "constants": CONSTANTS["conv"], "files": (None,)}
    check_exposed(LayerUnit, parameters)
    check_rejected(LayerUnit, parameters, "plan", PLAN)
    check_rejected(LayerUnit, parameters, "constants", CONSTANTS["conv"].neuron)
    check_rejected(LayerUnit, parameters, "constants", replace(CONSTANTS["conv"], weights=()))
    check_rejected(LayerUnit, parameters, "files", (None, None))


def test_pool_and_counters() -> None:
    check_exposed(MaxPool, {"plan": PLAN.stages[1]})
    check_rejected(MaxPool, {"plan": PLAN.stages[1]}, "plan", PLAN.stages[0])
    check_exposed(CounterBank, {"widths": (1, 7)})
    check_rejected(CounterBank, {"widths": (1, 7)}, "widths", (1, 0))


def test_a_rejected_parameter_is_named_with_its_rule_and_value() -> None:
    with pytest.raises(TypeError, match=r"widths must be positive integers, not \(1, 0\)"):
        CounterBank(widths=(1, 0))
    with pytest.raises(TypeError, match="depth must be 3, 7, 15 or 31, not 8"):
        CreditFifo(shape=1, depth=8)
    with pytest.raises(TypeError, match="plan must be a PoolPlan, not None"):
        MaxPool(plan=None)  # type: ignore[arg-type]
    bank = CounterBank(widths=(1,))
    with pytest.raises(AttributeError, match="widths is read-only"):
        bank.widths = (2,)
