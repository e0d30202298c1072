"""Constants of layer units against hand-computed values for each neuron type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen.network import (
    HardResetNeuron,
    Input,
    InverseLeak,
    InverseLeakyNeuron,
    Layer,
    Linear,
    Network,
    Readout,
    SoftmaxReadout,
    SoftResetNeuron,
    TimeToFirstSpikeNeuron,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.layer_constants import layer_constants, neuron_constants
from hwgen.plan.units.options import PlanOptions

THETA = np.array([3, 5])
BIAS = np.array([7, -2])
IF = {"threshold": THETA, "timesteps": 2, "two_phase": False}


def constants(neuron: Any, code: str = "radix") -> dict[str, list[int]]:
    """All set constants of a layer of two channels that reads ``code`` over two timesteps."""
    weights = np.ones((2, 1), dtype=np.int32)
    layer = Layer(
        name="n", projections=(Linear(source="input", weights=weights),), bias=BIAS, neuron=neuron
    )
    source_type = Input(shape=(1, 1, 1), timesteps=2, code=code).train_type
    values = vars(neuron_constants(layer, source_type))
    return {name: value.tolist() for name, value in values.items() if value is not None}


@pytest.mark.parametrize(
    ("neuron", "code", "expected"),
    [
        # D = 2·θ: first 2·(B − D), later ±2·D.
        (
            InverseLeakyNeuron(threshold=THETA, timesteps=2),
            "radix",
            {"first": [2, -24], "later": [12, 20]},
        ),
        # k = 3/2: D = θ + ⌊θ/2⌋.
        (
            InverseLeakyNeuron(threshold=THETA, timesteps=2, leak=InverseLeak(n=1, m=1)),
            "radix",
            {"first": [3, -9], "later": [-4, -7], "restored": [4, 7]},
        ),
        (
            SoftResetNeuron(threshold=THETA, timesteps=2),
            "radix",
            {"first": [4, -7], "later": [-3, -5]},
        ),
        (
            TimeToFirstSpikeNeuron(threshold=THETA, timesteps=2),
            "radix",
            {"first": [1, -12], "later": [3, 5]},
        ),
        (Readout(), "radix", {"first": [14, -4], "later": [0, 0]}),
        (Readout(), "rate", {"first": [7, -2], "later": [0, 0]}),
        (
            SoftResetNeuron(**IF, initial=np.array([1, 2]), floor=np.array([-8, -9])),
            "rate",
            {"first": [8, 0], "later": [7, -2], "threshold": [3, 5], "floor": [-8, -9]},
        ),
        (
            HardResetNeuron(threshold=THETA, timesteps=2),
            "rate",
            {"first": [7, -2], "later": [7, -2], "threshold": [3, 5], "restart": [0, 0]},
        ),
        (
            SoftmaxReadout(timesteps=2, table=np.array([9, 4, 1]), shift=0),
            "rate",
            {"first": [7, -2], "later": [7, -2], "table": [9, 4, 1]},
        ),
    ],
)
def test_constants_by_hand(neuron: Any, code: str, expected: dict[str, list[int]]) -> None:
    assert constants(neuron, code) == expected


def test_layer_constants_hold_the_weight_rows() -> None:
    layers = []
    for name, source, size in (("a", "input", 2), ("b", "a", 3)):
        weights = np.arange(size * (1 if name == "a" else 2)).reshape(size, -1)
        neuron = SoftResetNeuron(threshold=np.ones(size, dtype=np.int64), timesteps=2)
        layers.append(
            Layer(
                name=name,
                projections=(Linear(source=source, weights=weights.astype(np.int32)),),
                bias=np.zeros(size, dtype=np.int64),
                neuron=neuron if name == "a" else Readout(),
            )
        )
    network = Network(name="n", input=Input(shape=(1, 1, 1), timesteps=2), nodes=tuple(layers))
    found = layer_constants(network, make_plan(network, PlanOptions(lanes=3)))
    ((rows_of_a,),), ((rows_of_b,),) = found["a"].weights, found["b"].weights
    assert rows_of_a[0].tolist() == [0, 1]
    assert not rows_of_a[1:].any()  # bits beyond the only pixel
    assert rows_of_b.tolist() == [[0, 2, 4], [1, 3, 5]]
