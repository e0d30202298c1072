"""Simulation of a build folder: finds the package ``sim`` and calls it.

In a checkout it lies beside ``hwgen``, in a wheel inside it.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hwgen.resources import resource_dir

if TYPE_CHECKING:
    import numpy as np

    from sim.report import SimulationReport


def simulate(build: str | Path, images: np.ndarray, **options: Any) -> SimulationReport:
    """Simulate the core of a build folder and compare every stream of it with golden.

    The parameters, what is written and what is raised are those of :func:`sim.runner.simulate`:
    ``labels``, ``samples``, ``simulator``, ``idle``, ``backpressure``, ``seed``, ``waves``,
    ``buses``, ``progress``.
    """
    report: SimulationReport = sim_module("runner").simulate(build, images, **options)
    return report


def sim_module(name: str) -> ModuleType:
    """A module of the package ``sim``, wherever it is."""
    folder = resource_dir("sim")
    if folder.parent == Path(__file__).resolve().parent:
        return importlib.import_module(f"hwgen.{folder.name}.{name}")
    if str(folder.parent) not in sys.path:
        sys.path.append(str(folder.parent))
    return importlib.import_module(f"sim.{name}")
