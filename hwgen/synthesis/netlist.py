"""Synthesis with yosys, and what the netlist uses: of the part, and unit by unit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from hwgen.boards import Board
from hwgen.errors import PlanError, ToolError
from hwgen.synthesis import netlist_passes as registers
from hwgen.synthesis.tools import Watch, run, why

# Cells of each family that take up a resource, and how many of it. A carry cell of an ECP5 is two
# LUT4; its distributed RAM of 16 × 4 is four, and two more for its write port.
_COST: dict[str, dict[str, tuple[str, int]]] = {
    "ecp5": {
        "LUT4": ("lut4", 1),
        "CCU2C": ("lut4", 2),
        "TRELLIS_DPR16X4": ("lut4", 6),
        "TRELLIS_FF": ("ff", 1),
        "DP16KD": ("block_ram", 1),
        "PDPW16KD": ("block_ram", 1),
        "MULT18X18D": ("multiplier", 1),
    },
    "ice40": {
        "SB_LUT4": ("lut4", 1),
        "SB_RAM40_4K": ("block_ram", 1),
        "SB_MAC16": ("multiplier", 1),
        "SB_SPRAM256KA": ("spram", 1),
    },
}
WIRE_PS = 1000
"""What a wire takes, for the choice of look-up tables: about as long as nextpnr's in a full ECP5.
Yosys' own 300 ps make chains of them where trees would do."""


def _ecp5(*mapping: str) -> tuple[str, ...]:
    return (
        "synth_ecp5 -top TOP -run :map_luts",
        "techmap -map +/lattice/latches_map.v",
        *mapping,
        "clean",
        "synth_ecp5 -top TOP -run map_cells:",
    )


# Tried in turn: with ABC9, which knows the delays of carries and multipliers, then with ABC.
_ATTEMPTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "ecp5": (_ecp5(f"abc9 -W {WIRE_PS}"), _ecp5("abc -dress -lut 4:7")),
    "ice40": (("synth_ice40 -top TOP -dsp -abc9",), ("synth_ice40 -top TOP -dsp",)),
}

RESOURCES = ("lut4", "ff", "block_ram", "multiplier", "spram")


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
    """Run yosys on ``sources`` (names below ``folder``); gives the netlist, in ``work``.

    The parts of the shell are kept apart, so that the core is counted alone. The script lies in
    ``work`` as ``synth.ys``, so that a run can be repeated by hand.
    """
    netlist, log, script = work / "netlist.json", work / "yosys.log", work / "synth.ys"
    defines = f"-DHWGEN_CORE={core}" + (" -DHWGEN_COUNTERS=1" if counters else "")
    chosen = " ".join(f"-set {name} {value}" for name, value in parameters.items())
    attempts = attempts_for(board, top)
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
            # Pip's yosys loses its last output when it fails, but not that in its own log.
            if not log.is_file():
                raise
            # ABC9 is seen to break an assertion of yosys on some large designs; what ABC makes
            # is slower logic, but it is logic.
            in_abc9 = "Executing ABC9" in log.read_text(encoding="utf-8", errors="replace")
            if not (in_abc9 and attempt is attempts[0]):
                raise ToolError(f"yosys failed; log: {log}\n{why(log)}") from error
    if board.family == "ecp5":
        registers.absorb(netlist)
    return netlist


def attempts_for(board: Board, top: str) -> list[list[str]]:
    """Scripts that synthesise ``top``: the second where the first one fails in ABC9."""
    return [[line.replace("TOP", top) for line in lines] for lines in _ATTEMPTS[board.family]]


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def count(board: Board, netlist: Path, *, top: str) -> dict[str, dict[str, int]]:
    """Resources that each unit uses: "core.UNIT" for those of the core, "shell" for the shell's.

    In the flattened ``top``, a cell belongs to the submodule of the core that its name starts
    with, to "core" where it has none: logic that yosys moved over a border counts for the unit of
    the signal that it is named for. The other modules of the netlist are the shell.
    """
    modules: Mapping[str, Any] = json.loads(netlist.read_text(encoding="utf-8"))["modules"]
    units: dict[str, Counter[str]] = {}
    # Yosys leaves a cell of this kind for every module that it flattened.
    flattened = {
        name for name, cell in modules[top]["cells"].items() if cell["type"] == "$scopeinfo"
    }
    for module, content in modules.items():
        if content.get("attributes", {}).get("blackbox"):
            continue
        for name, cell in content["cells"].items():
            resource, amount = cost(board.family, cell["type"])
            if amount:
                unit = _unit(name, flattened) if module == top else "shell"
                units.setdefault(unit, Counter())[resource] += amount
    return {
        unit: {resource: counts[resource] for resource in RESOURCES if counts[resource]}
        for unit, counts in sorted(units.items())
    }


def _unit(name: str, flattened: Collection[str]) -> str:
    unit = ".".join(name.split(".")[:2])
    return unit if unit.startswith("core.") and unit in flattened else "core"


def cost(family: str, kind: str) -> tuple[str, int]:
    """The resource that a cell takes up, and how much of it."""
    if family == "ice40" and kind.startswith("SB_DFF"):
        return "ff", 1
    return _COST[family].get(kind, ("", 0))


def total(units: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """What all units use together."""
    return {
        resource: amount
        for resource in RESOURCES
        if (amount := sum(counts.get(resource, 0) for counts in units.values()))
    }


def require_fit(board: Board, used: Mapping[str, int]) -> None:
    """Raise :class:`PlanError` where the part has less than ``used``, before place and route."""
    over = [
        f"{used[resource]:,} {label} of {limit:,}"
        for resource, label in (
            ("lut4", "LUT4"),
            ("ff", "flip-flops"),
            ("block_ram", "block RAMs"),
            ("multiplier", "multipliers"),
            ("spram", "single-port RAMs"),
        )
        if used.get(resource, 0) > (limit := getattr(board.resources, resource))
    ]
    if over:
        raise PlanError(
            f"the network does not fit {board.name}: it needs {', '.join(over)}; generate it with "
            f"fewer lanes, convert it with fewer weight bits or timesteps, or take a larger board"
        )
