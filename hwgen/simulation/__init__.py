"""Simulation of a build folder: every stream of the Verilog against the golden model.

The data flow: :mod:`.core` reads what was generated, :mod:`.expected` writes the words of every
stream, :mod:`.bench` the Verilog around the core, :mod:`.compile` makes a simulator of it,
:mod:`.run` starts that with the testbench of the folder ``sim``, and :mod:`.difference` names what
was not as expected.
"""

from hwgen.simulation.report import SimulationReport
from hwgen.simulation.runner import simulate

__all__ = ["SimulationReport", "simulate"]
