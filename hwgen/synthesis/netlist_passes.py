"""Netlist pass for ECP5: moves registers behind block RAM into the block, which yosys does not do.

Without its output register, the output of an ECP5's block RAM is valid 5.6 ns after the clock edge,
too late to travel far; with the register it is as early as that of a flip-flop (Lattice
FPGA-TN-02204, REGMODE).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BLOCK = "DP16KD"

Loads = Mapping[object, list[tuple[str, str]]]
"""Readers of each net, as (cell, port)."""


def absorb(netlist: Path) -> int:
    """Rewrite yosys' ``netlist``; gives the number of flip-flops moved into block RAMs.

    A block absorbs its flip-flops if every output in use goes to exactly one of them, on the clock
    of the block, without an enable or a reset.
    """
    design = json.loads(netlist.read_text(encoding="utf-8"))
    absorbed = sum(
        _absorb_in(module)
        for module in design["modules"].values()
        if not module.get("attributes", {}).get("blackbox")
    )
    if absorbed:
        netlist.write_text(json.dumps(design), encoding="utf-8")
    return absorbed


def _absorb_in(module: Mapping[str, Any]) -> int:
    cells = module["cells"]
    blocks = [cell for cell in cells.values() if cell["type"] == BLOCK]
    if not blocks:
        return 0
    loads: defaultdict[object, list[tuple[str, str]]] = defaultdict(list)
    for name, cell in cells.items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] != "output":
                for bit in bits:
                    loads[bit].append((name, port))
    for port in module["ports"].values():
        for bit in port["bits"]:
            loads[bit].append(("", ""))
    absorbed = 0
    for block in blocks:
        registers = _registers(cells, block, loads)
        for port, name in registers.items():
            block["connections"][port] = cells.pop(name)["connections"]["Q"]
        if registers:
            absorbed += len(registers)
            for side in "AB":
                block["parameters"][f"REGMODE_{side}"] = "OUTREG"
                block["connections"][f"OCE{side}"] = ["1"]
                block["port_directions"][f"OCE{side}"] = "input"
    return absorbed


def _registers(cells: Mapping[str, Any], block: Mapping[str, Any], loads: Loads) -> dict[str, str]:
    """Flip-flop of each output in use; none if the block cannot absorb all of them."""
    ports = block["connections"]
    # Port B reads; for words of 36 bits, A's outputs carry the upper half.
    reads_only = ports["CEB"] == ["1"] and ports["WEB"] == ["0"] and ports["RSTB"] == ["0"]
    is_wide = int(block["parameters"]["DATA_WIDTH_A"], 2) == 36
    if not reads_only or (_reads_a(ports, loads) and not is_wide):
        return {}
    found: dict[str, str] = {}
    for port, (bit,) in ((p, bits) for p, bits in ports.items() if p.startswith("DO") and bits):
        if not isinstance(bit, int) or not loads[bit]:
            continue
        (name, taken_by), *others = loads[bit]
        if others or taken_by not in ("DI", "M") or not _is_plain(cells[name], ports["CLKB"]):
            return {}
        found[port] = name
    return found


def _reads_a(ports: Mapping[str, list[Any]], loads: Loads) -> bool:
    return any(loads[bit] for port, (bit,) in ports.items() if port.startswith("DOA"))


def _is_plain(cell: Mapping[str, Any], clock: list[object]) -> bool:
    """Whether a cell is a flip-flop on ``clock`` that starts at 0, without enable and reset."""
    if cell["type"] != "TRELLIS_FF":
        return False
    values = {name: str(value).strip() for name, value in cell["parameters"].items()}
    reset = cell["connections"].get("LSR") or ["0"]
    return (
        cell["connections"]["CLK"] == clock
        and values.get("CEMUX", "1") == "1"
        and values.get("CLKMUX", "CLK") == "CLK"
        and values.get("REGSET", "RESET") == "RESET"
        and not isinstance(reset[0], int)
    )
