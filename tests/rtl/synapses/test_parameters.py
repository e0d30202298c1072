# amaranth: UnusedElaboratable=no
"""Synapse components reject bad parameters and expose the accepted ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwgen.rtl.synapses.array import SynapseArray, SynapseInput
from hwgen.rtl.synapses.scanner import SpikeScanner
from hwgen.rtl.synapses.weight_memory import WeightMemory
from tests.support.rtl.parameters import check_exposed, check_rejected

ROWS = np.array([[1, -2], [3, 0]])
COMPONENTS: list[tuple[Any, dict[str, Any]]] = [
    (SpikeScanner, {"chunk_width": 4, "depth": 9}),
    (WeightMemory, {"rows": ROWS, "weight_bits": 5, "file": "w.hex", "kind": "block"}),
    (
        SynapseArray,
        {
            "inputs": (SynapseInput(rows=ROWS),),
            "lanes": 2,
            "weight_bits": 3,
            "current_width": 6,
            "windows": 2,
            "timesteps": 3,
        },
    ),
]


@pytest.mark.parametrize(("component", "parameters"), COMPONENTS)
def test_parameters_are_exposed(component: Any, parameters: dict[str, Any]) -> None:
    check_exposed(component, parameters)


@pytest.mark.parametrize(
    ("component", "name", "value"),
    [
        (SpikeScanner, "chunk_width", 0),
        (SpikeScanner, "depth", 2.0),
        (WeightMemory, "rows", ROWS[0]),
        (WeightMemory, "weight_bits", 2),
        (WeightMemory, "weight_bits", None),
        (WeightMemory, "kind", "flash"),
        (SynapseArray, "lanes", 3),
        (SynapseArray, "lanes", -2),
        (SynapseArray, "weight_bits", 2),
        (SynapseArray, "current_width", 0),
        (SynapseArray, "windows", 0),
        (SynapseArray, "timesteps", 0),
    ],
)
def test_bad_parameters_are_rejected(component: Any, name: str, value: Any) -> None:
    check_rejected(component, dict(COMPONENTS)[component], name, value)
