"""Simulation of a build folder: every stream of the Verilog against the golden model.

The data flow: :mod:`.expected` writes the expected words of every stream, :mod:`.bench` the Verilog
around the core, :mod:`.compile` makes a simulator of it, :mod:`.run` starts that with the testbench
of the folder ``sim``, and :mod:`.difference` names the first deviation.

The names are imported on first use: the simulator's process loads :mod:`.jobs` and
:mod:`.simulation_log` alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwgen.simulation.options import Simulator, StallPattern
    from hwgen.simulation.report import SimulationReport
    from hwgen.simulation.runner import simulate

__all__ = ["SimulationReport", "Simulator", "StallPattern", "simulate"]

_HOMES = {
    "SimulationReport": "report",
    "Simulator": "options",
    "StallPattern": "options",
    "simulate": "runner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
