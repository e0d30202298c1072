# amaranth: UnusedElaboratable=no
"""Stream components reject bad parameters and expose the accepted ones."""

from __future__ import annotations

from typing import Any

import pytest

from hwgen.rtl.streams.credit_fifo import CreditFifo, SlotCounter
from hwgen.rtl.streams.fork import StreamFork
from hwgen.rtl.streams.reset_sequencer import ResetSequencer
from hwgen.rtl.streams.skid_buffer import SkidBuffer
from tests.support.rtl.parameters import check_exposed, check_rejected

COMPONENTS: list[tuple[Any, dict[str, Any]]] = [
    (SlotCounter, {"depth": 7}),
    (CreditFifo, {"shape": 5, "depth": 31}),
    (SkidBuffer, {"shape": 9}),
    (StreamFork, {"shape": 4, "consumers": 3}),
    (ResetSequencer, {"units": 2}),
]


@pytest.mark.parametrize(("component", "parameters"), COMPONENTS)
def test_parameters_are_exposed(component: Any, parameters: dict[str, Any]) -> None:
    check_exposed(component, parameters)


@pytest.mark.parametrize(
    ("component", "name", "value"),
    [
        (SlotCounter, "depth", 8),
        (CreditFifo, "depth", 0),
        (CreditFifo, "shape", "word"),
        (SkidBuffer, "shape", None),
        (StreamFork, "shape", -1),
        (StreamFork, "consumers", 0),
        (StreamFork, "consumers", "2"),
        (ResetSequencer, "units", 0),
        (ResetSequencer, "units", True),
    ],
)
def test_bad_parameters_are_rejected(component: Any, name: str, value: Any) -> None:
    check_rejected(component, dict(COMPONENTS)[component], name, value)
