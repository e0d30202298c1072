"""Simulators and stall patterns.

Imports only the standard library: see :mod:`hwgen.simulation.jobs`.
"""

from __future__ import annotations

from enum import StrEnum


class Simulator(StrEnum):
    """Simulator of a core."""

    VERILATOR = "verilator"
    ICARUS = "icarus"


class StallPattern(StrEnum):
    """Pauses of the input's source or of the results' sink; ``sim/hwgen_stall_patterns.py``."""

    NONE = "none"
    RANDOM = "random"
    ADVERSARIAL = "adversarial"
