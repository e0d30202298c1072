# amaranth: UnusedElaboratable=no
"""Membrane units reject bad parameters and expose the accepted ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hwgen.network import Input, InverseLeak, InverseLeakyNeuron, SoftResetNeuron
from hwgen.plan.units.layer_constants import neuron_constants
from hwgen.rtl.neuron.constant_current import ConstantCurrentPipeline
from hwgen.rtl.neuron.integrator import Integrator
from hwgen.rtl.neuron.inverse_leak import InverseLeakPipeline
from hwgen.rtl.neuron.membrane import MembranePipeline
from hwgen.rtl.neuron.serializer import Serializer
from hwgen.rtl.neuron.single_phase import SinglePhaseUnit
from hwgen.rtl.neuron.units import ConstantCurrentUnit, InverseLeakUnit, MembraneUnit
from tests.support.rtl.layers import make_layer, plan_one
from tests.support.rtl.parameters import check_exposed, check_rejected

THRESHOLD = np.array([3, 4])
WEIGHTS = [[1, -2, 3, 4], [2, 2, -1, 0]]


def unit(neuron: Any, **source: Any) -> dict[str, Any]:
    """Plan and constants of a layer with two channels."""
    layer = make_layer(WEIGHTS, neuron)
    plan, source_type = plan_one(layer, Input(shape=(4, 1, 1), **source), lanes=2)
    return {"plan": plan, "constants": neuron_constants(layer, source_type)}


TWO_PHASE = unit(InverseLeakyNeuron(threshold=THRESHOLD, timesteps=3), timesteps=3)
LEAKY = unit(
    InverseLeakyNeuron(threshold=THRESHOLD, timesteps=3, leak=InverseLeak(n=1, m=1)), timesteps=3
)
single = SoftResetNeuron(threshold=THRESHOLD, timesteps=3, two_phase=False)
SINGLE_PHASE = unit(single, timesteps=3, code="rate")
DIRECT = unit(single, timesteps=3, code="direct")

COMPONENTS: list[tuple[Any, dict[str, Any]]] = [
    (Serializer, {"plan": TWO_PHASE["plan"]}),
    (MembranePipeline, {"plan": TWO_PHASE["plan"]}),
    (InverseLeakPipeline, {"plan": LEAKY["plan"]}),
    (Integrator, {**SINGLE_PHASE, "width": 5}),
    (ConstantCurrentPipeline, DIRECT),
    (SinglePhaseUnit, SINGLE_PHASE),
    (MembraneUnit, TWO_PHASE),
    (InverseLeakUnit, LEAKY),
    (ConstantCurrentUnit, DIRECT),
]


@pytest.mark.parametrize(("component", "parameters"), COMPONENTS)
def test_parameters_are_checked_and_exposed(component: Any, parameters: dict[str, Any]) -> None:
    check_exposed(component, parameters)
    for name in parameters:
        check_rejected(component, parameters, name, "3")


def test_a_leak_below_2_needs_the_restored_levels() -> None:
    constants = replace(LEAKY["constants"], restored=None)
    with pytest.raises(ValueError, match="restored is missing"):
        InverseLeakUnit(plan=LEAKY["plan"], constants=constants)
