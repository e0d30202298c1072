"""From a generated core to a board's bitstream: shell, synthesis, place and route."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwgen import boards
from hwgen.boards import Board
from hwgen.errors import PlanError, ToolError
from hwgen.resources import resource_dir
from hwgen.synthesis import netlist, pll, tools
from hwgen.synthesis.core import Core, read_core
from hwgen.synthesis.place import CriticalPath, Placement, place_and_route
from hwgen.synthesis.progress import Phases
from hwgen.synthesis.seeds import fastest

SHELL = "hwgen_board_shell"


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """Place and route of a core in its board's shell.

    Parameters
    ----------
    core, board, part : str
    seed : int
        Of place and route, and in ``fmax_of_seeds`` the Fmax of each that was tried.
    clock_mhz : float
        The clock that the bitstream makes from the board's oscillator.
    fmax_mhz : float
        Of the routed design, shell included.
    utilisation : {resource: (used, available)}
        Of the routed design: "lut4", "ff", "block_ram", "multiplier", "spram".
    units : {unit: {resource: used}}
        After synthesis: each unit of the core, "core" for what lies between them, and "shell".
    critical_path : CriticalPath or None
    bitstream : str
        Relative to the build folder.
    seconds : {"synthesis" or "place": float}
    """

    core: str
    board: str
    part: str
    seed: int
    clock_mhz: float
    fmax_mhz: float
    utilisation: dict[str, tuple[int, int]]
    units: dict[str, dict[str, int]]
    critical_path: CriticalPath | None
    bitstream: str
    seconds: dict[str, float]
    fmax_of_seeds: dict[int, float]

    @property
    def meets_timing(self) -> bool:
        return self.fmax_mhz >= self.clock_mhz

    @property
    def shell(self) -> dict[str, int]:
        """What the shell adds to the core, after synthesis."""
        return self.units.get("shell", {})

    def to_json(self) -> dict[str, Any]:
        """Plain values, as ``synth/report.json`` holds them."""
        data = asdict(self) | {"meets_timing": self.meets_timing}
        data["utilisation"] = {
            resource: {"used": used, "available": available}
            for resource, (used, available) in self.utilisation.items()
        }
        return data


def build(
    folder: str | Path,
    *,
    board: str | Board | None = None,
    clock_mhz: float | None = None,
    seed: int = 1,
    tries: int = 1,
    progress: Callable[[str], None] | None = None,
) -> BuildReport:
    """Synthesise, place and route a build folder; everything lands in its ``synth/``.

    Parameters
    ----------
    board : str or Board, optional
        Where the core was generated for none, or to build it for another one.
    clock_mhz : float, optional
        Clock of the core; the board's default where not given.
    seed : int
        Of place and route: another seed, another Fmax.
    tries : int
        So many seeds are tried, from ``seed`` on, until one meets the clock; else the fastest one
        is taken.
    progress : function of a line of text, optional

    Raises
    ------
    ArtefactError
        ``folder`` is no build folder, or was edited.
    PlanError
        The network does not fit the board, or the board cannot make the clock.
    ToolError
        A tool is missing, or failed; its log is kept in ``synth-failed/``.
    """
    if tries < 1:
        raise PlanError(f"tries must be at least 1, not {tries}")
    folder = Path(folder).resolve()
    core = read_core(folder)
    chosen = _board(board or core.board)
    tools.require("yosys", f"nextpnr-{chosen.family}")
    loop = pll.choose(chosen, clock_mhz * 1e6 if clock_mhz else chosen.default_hz)
    work, failed, kept = folder / "synth", folder / "synth-failed", folder / ".synth-before"
    for stale in (failed, kept):
        shutil.rmtree(stale, ignore_errors=True)
    if work.exists():
        work.rename(kept)
    try:
        work.mkdir()
        report = _build(folder, work, core, chosen, loop, range(seed, seed + tries), progress)
        text = json.dumps(report.to_json(), indent=1) + "\n"
        (work / "report.json").write_text(text, encoding="utf-8")
    except BaseException as error:
        os.replace(work, failed)
        if kept.exists():
            kept.rename(work)
        if isinstance(error, ToolError):
            raise ToolError(str(error).replace(str(work), str(failed))) from error
        raise
    shutil.rmtree(kept, ignore_errors=True)
    return report


def _board(board: str | Board | None) -> Board:
    if board is None:
        raise PlanError(
            f"the core was generated for no board; choose one with --board "
            f"(have {', '.join(boards.names())})"
        )
    return board if isinstance(board, Board) else boards.load(board)


def _build(
    folder: Path,
    work: Path,
    core: Core,
    board: Board,
    loop: pll.Pll | None,
    seeds: range,
    progress: Callable[[str], None] | None,
) -> BuildReport:
    hz = loop.hz if loop else float(board.clock.hz)
    templates = resource_dir("rtl_templates")
    shell = [SHELL, "hwgen_board_uart", f"hwgen_board_pll_{board.family}"]
    for name in shell:
        shutil.copyfile(templates / f"{name}.v", work / f"{name}.v")
    started = time.monotonic()
    synthesised = netlist.synthesise(
        board,
        [*core.sources, *(f"synth/{name}.v" for name in shell)],
        top=SHELL,
        core=core.top,
        parameters=_parameters(core, board, loop, hz),
        counters=core.address_width > 0,
        folder=folder,
        work=work,
        watch=Phases("synthesis", progress),
    )
    units = netlist.count(board, synthesised, top=SHELL)
    netlist.require_fit(board, netlist.total(units))
    routed_from = time.monotonic()

    def place(seed: int, attempt: Path) -> tuple[Placement, Path]:
        return place_and_route(
            board,
            netlist=synthesised.relative_to(folder).as_posix(),
            clock_mhz=hz / 1e6,
            seed=seed,
            folder=folder,
            work=attempt,
            watch=Phases(f"place and route, seed {seed}", progress),
        )

    placed, bitstream, fmax = fastest(seeds, place, clock_mhz=hz / 1e6, work=work)
    seconds = {"synthesis": routed_from - started, "place": time.monotonic() - routed_from}
    return _report(core, board, hz, fmax, units, placed, bitstream.relative_to(folder), seconds)


def _report(
    core: Core,
    board: Board,
    hz: float,
    fmax: dict[int, float],
    units: dict[str, dict[str, int]],
    placed: Placement,
    bitstream: Path,
    seconds: dict[str, float],
) -> BuildReport:
    return BuildReport(
        core=core.name,
        board=board.name,
        part=f"{board.family} {board.device} {board.package}",
        seed=max(fmax, key=lambda seed: fmax[seed]),
        clock_mhz=round(hz / 1e6, 3),
        fmax_mhz=placed.fmax_mhz,
        utilisation=placed.utilisation,
        units=units,
        critical_path=placed.critical_path,
        bitstream=bitstream.as_posix(),
        seconds={phase: round(value, 1) for phase, value in seconds.items()},
        fmax_of_seeds=fmax,
    )


def _parameters(core: Core, board: Board, loop: pll.Pll | None, hz: float) -> dict[str, int]:
    parameters = {
        "DIVISOR": max(round(hz / board.uart.baud), 4),
        "INPUT_BYTES": core.input_bytes,
        "SAMPLE_BYTES": core.sample_bytes,
        "OUTPUT_BYTES": core.output_bytes,
        "ADDRESS_WIDTH": max(core.address_width, 1),
        "PLL": int(loop is not None),
    }
    if loop:
        parameters |= {
            "PLL_REFERENCE": loop.reference,
            "PLL_FEEDBACK": loop.feedback,
            "PLL_OUTPUT": loop.output,
            "PLL_FILTER": loop.filter,
        }
    return parameters
