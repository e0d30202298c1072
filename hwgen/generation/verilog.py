"""Amaranth to Verilog that starts in every simulator.

Amaranth's own Verilog holds combinational processes, ``always @*``. One that depends on constants
and initial values alone sees no event at time 0, and never runs in a simulator that initialises
registers before it starts the processes, as SystemVerilog demands. Here yosys makes multiplexers
of all of them, so that only clocked processes are left.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from amaranth import ClockDomain, Elaboratable
from amaranth._toolchain.yosys import YosysError, find_yosys
from amaranth.back import rtlil

from hwgen import caches
from hwgen.errors import ToolError

_INTERNAL = ("generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding")
"""Attributes for Amaranth's own tools."""


def to_verilog(unit: Elaboratable, *, name: str, reset_less: bool = False) -> str:
    """Verilog of ``unit`` as the module ``name``; ``reset_less``: it has no port ``rst``."""
    netlist = rtlil.convert(
        unit,
        name=name,
        emit_src=False,
        missing_domain=lambda domain: ClockDomain(domain, reset_less=reset_less),
    )
    removed = " ".join(f"-remove {attribute}" for attribute in _INTERNAL)
    script = (
        f"read_rtlil <<rtlil\n{netlist}\nrtlil",
        "proc",
        "memory_collect",
        "delete */s:0",  # Verilog has no signals of no bits: [-1:0] is two
        f"attrmap {removed}",
        f"attrmap -modattr {removed}",
        "write_verilog -norename",
    )
    try:
        with _cache_for_yosys():
            yosys = find_yosys(lambda version: version >= (0, 40))
            text: str = yosys.run(["-q", "-"], "\n".join(script), ignore_warnings=True)
    except YosysError as error:
        last = str(error).splitlines()[-1:] or ["it printed nothing"]
        raise ToolError(f"yosys, which writes the Verilog, failed: {last[0]}") from error
    return plain_verilog(text)


@contextmanager
def _cache_for_yosys() -> Iterator[None]:
    """Set the variables of a cache that can be written: Amaranth starts yosys with our own."""
    changed = caches.environment()
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def plain_verilog(text: str) -> str:
    """Verilog of yosys without its banner and without escaped names that tools misread.

    The banner holds the tool's version, which is in the manifest. The name of lane 3 of an array is
    ``\\row[3]``; ABC9 of yosys reads this as bit 3 of ``row`` and fails an assertion. ``\\row.3``
    is safe and unique, since no field of a structure is a number. A multiplexer of many inputs is a
    function, ``\\$procmux$3``, which Icarus takes for a function of the system.
    """
    text = re.sub(r"\A/\*.*?\*/\n", "", text, flags=re.DOTALL)
    text = re.sub(r"\\\$procmux\$(\d+) ", r"\\procmux.\1 ", text)
    return re.sub(r"\\\S+", lambda name: re.sub(r"\[(\d+)\]", r".\1", name[0]), text)
