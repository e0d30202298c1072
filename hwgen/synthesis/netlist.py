"""Synthesis with yosys, and the resources of the netlist, in total and per unit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from hwgen.boards import Board, Resource
from hwgen.errors import PlanError, ToolError
from hwgen.synthesis.families import family_of
from hwgen.synthesis.tools import Watch, run, why

Counts = dict[Resource, int]


def synthesise(
    board: Board,
    sources: Sequence[str],
    *,
    top: str,
    core: str,
    parameters: Mapping[str, int],
    counters: bool,
    folder: Path,
    work: Path,
    watch: Watch | None = None,
) -> Path:
    """Run yosys on ``sources`` (relative to ``folder``); gives the netlist, in ``work``.

    The modules of the shell keep their hierarchy, so that the core is counted alone. The script is
    ``work/synth.ys``, so that a run can be repeated by hand.
    """
    netlist, log, script = work / "netlist.json", work / "yosys.log", work / "synth.ys"
    defines = f"-DHWGEN_CORE={core}" + (" -DHWGEN_COUNTERS=1" if counters else "")
    chosen = " ".join(f"-set {name} {value}" for name, value in parameters.items())
    attempts = family_of(board).synthesis_scripts(top)
    for attempt in attempts:
        lines = (
            f"read_verilog -sv {defines} {' '.join(sources)}",
            f"chparam {chosen} {top}",
            *attempt,
            f"write_json {_below(netlist, folder)}",
        )
        script.write_text("\n".join(lines) + "\n", encoding="utf-8")
        arguments = ["-l", _below(log, folder), "-s", _below(script, folder)]
        try:
            run("yosys", arguments, folder=folder, log=work / "yosys.out", watch=watch)
            break
        except ToolError as error:
            # When it fails, pip's yosys loses its last output, except in its own log.
            if not log.is_file():
                raise
            # On some large designs ABC9 fails an assertion of yosys; ABC maps them to slower logic.
            in_abc9 = "Executing ABC9" in log.read_text(encoding="utf-8", errors="replace")
            if not (in_abc9 and attempt is attempts[0]):
                raise ToolError(f"yosys failed; log: {log}\n{why(log)}") from error
    family_of(board).improve(netlist)
    return netlist


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def count(board: Board, netlist: Path, *, top: str) -> dict[str, Counts]:
    """Resources that each unit uses: "core.UNIT" within the core, "shell" for the shell.

    In the flattened ``top``, a cell belongs to the submodule of the core that its name starts
    with, and otherwise to "core". Logic that yosys moved across a boundary counts for the unit of
    the signal in its name. The other modules of the netlist are the shell.
    """
    family = family_of(board)
    modules = read_modules(netlist)
    units: dict[str, Counter[Resource]] = {}
    flattened = flattened_modules(modules[top])
    for module, content in modules.items():
        if content.get("attributes", {}).get("blackbox"):
            continue
        for name, cell in content["cells"].items():
            if cost := family.cost(cell["type"]):
                unit = _unit(name, flattened) if module == top else "shell"
                units.setdefault(unit, Counter())[cost[0]] += cost[1]
    return {
        unit: {resource: counts[resource] for resource in Resource if counts[resource]}
        for unit, counts in sorted(units.items())
    }


def read_modules(netlist: Path) -> dict[str, Any]:
    """Modules of a JSON netlist of yosys, by name."""
    modules: dict[str, Any] = json.loads(netlist.read_text(encoding="utf-8"))["modules"]
    return modules


def flattened_modules(module: Mapping[str, Any]) -> set[str]:
    """Paths of the modules that yosys flattened into this one: it leaves a cell for each."""
    return {name for name, cell in module["cells"].items() if cell["type"] == "$scopeinfo"}


def _unit(name: str, flattened: Collection[str]) -> str:
    unit = ".".join(name.split(".")[:2])
    return unit if unit.startswith("core.") and unit in flattened else "core"


def total(units: Mapping[str, Mapping[Resource, int]]) -> Counts:
    """Sum over all units; 0 for a resource that is not used."""
    return {name: sum(counts.get(name, 0) for counts in units.values()) for name in Resource}


def require_fit(board: Board, used: Mapping[Resource, int]) -> None:
    """Raise :class:`.PlanError` if the part has fewer resources than ``used``."""
    over = [
        f"{used[resource]:,} {resource.label} of {limit:,}"
        for resource in Resource
        if used.get(resource, 0) > (limit := board.resources.amount(resource))
    ]
    if over:
        raise PlanError(
            f"the network does not fit {board.name}: it needs {', '.join(over)}; generate it with "
            f"fewer lanes, convert it with fewer weight bits or timesteps, or use a larger board"
        )


def synthesise_out_of_context(
    board: Board, files: Mapping[str, str], *, top: str, folder: Path
) -> dict[str, Counter[Resource]]:
    """Resources, by submodule, of one unit that is synthesised alone: the module ``top``.

    ``files`` are written to ``folder``. The design is flattened, as in a build; a cell belongs to
    the longest path of submodules that its name starts with, where "" is ``top`` itself. Raises
    :class:`.ToolError`.
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
