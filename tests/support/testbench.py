"""Modules of the folder ``sim``, loaded by path as in a simulator process."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from hwgen.resources import resource_dir


def load_testbench_module(name: str) -> ModuleType:
    """The module ``sim/NAME.py``."""
    spec = importlib.util.spec_from_file_location(name, resource_dir("sim") / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


stall_patterns = load_testbench_module("hwgen_stall_patterns")
