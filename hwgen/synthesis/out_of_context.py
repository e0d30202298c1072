"""What one unit uses when it is synthesised alone: for estimates, and for figures by unit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from hwgen.boards import Board
from hwgen.synthesis.netlist import RESOURCES, attempts_for, cost
from hwgen.synthesis.tools import run


def synthesise_out_of_context(
    board: Board, files: Mapping[str, str], *, top: str, folder: Path
) -> dict[str, Counter[str]]:
    """Resources of the module ``top`` of ``files``, written to ``folder``, by its submodules.

    The design is flattened, as in a build; a cell counts for the longest path of submodules that
    its name starts with, "" being ``top`` itself. Raises :class:`ToolError`.
    """
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    sources = " ".join(name for name in files if name.endswith(".v"))
    lines = [f"read_verilog -sv {sources}", *attempts_for(board, top)[0], "write_json unit.json"]
    (folder / "unit.ys").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run("yosys", ["-q", "-s", "unit.ys"], folder=folder, log=folder / "yosys.out")
    modules = json.loads((folder / "unit.json").read_text(encoding="utf-8"))["modules"]
    cells = modules[top]["cells"]
    # Yosys leaves a cell of this kind for every module that it flattened.
    paths = {name for name, cell in cells.items() if cell["type"] == "$scopeinfo"}
    units: dict[str, Counter[str]] = {}
    for name, cell in cells.items():
        resource, amount = cost(board.family, cell["type"])
        if amount:
            parts = name.split(".")
            ends = range(len(parts), 0, -1)
            path = next((p for n in ends if (p := ".".join(parts[:n])) in paths), "")
            units.setdefault(path, Counter())[resource] += amount
    return units


def total(units: Mapping[str, Counter[str]]) -> dict[str, int]:
    """What all submodules use together."""
    return {name: sum(counts[name] for counts in units.values()) for name in RESOURCES}
