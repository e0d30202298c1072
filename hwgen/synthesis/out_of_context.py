"""Out-of-context synthesis: resources of one unit that is synthesised alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from hwgen.boards import Board, Resource
from hwgen.synthesis.families import family_of
from hwgen.synthesis.netlist import flattened_modules, read_modules
from hwgen.synthesis.tools import run


def synthesise_out_of_context(
    board: Board, files: Mapping[str, str], *, top: str, folder: Path
) -> dict[str, Counter[Resource]]:
    """Resources of the module ``top`` of ``files``, written to ``folder``, by submodule.

    The design is flattened, as in a build; a cell belongs to the longest path of submodules that
    its name starts with, where "" is ``top`` itself. Raises :class:`ToolError`.
    """
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    family = family_of(board)
    sources = " ".join(name for name in files if name.endswith(".v"))
    script = family.synthesis_scripts(top)[0]
    lines = [f"read_verilog -sv {sources}", *script, "write_json unit.json"]
    (folder / "unit.ys").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run("yosys", ["-q", "-s", "unit.ys"], folder=folder, log=folder / "yosys.out")
    module = read_modules(folder / "unit.json")[top]
    paths = flattened_modules(module)
    units: dict[str, Counter[Resource]] = {}
    for name, cell in module["cells"].items():
        if cost := family.cost(cell["type"]):
            parts = name.split(".")
            ends = range(len(parts), 0, -1)
            path = next((p for n in ends if (p := ".".join(parts[:n])) in paths), "")
            units.setdefault(path, Counter())[cost[0]] += cost[1]
    return units


def total(units: Mapping[str, Counter[Resource]]) -> dict[Resource, int]:
    """Sum over all submodules; 0 for a resource that is not used."""
    return {name: sum(counts[name] for counts in units.values()) for name in Resource}
