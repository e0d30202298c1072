"""From a generated core to a board's bitstream: shell, synthesis, place and route."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from hwgen import boards
from hwgen.arguments import require_integer, require_number
from hwgen.artefact.atomic import link_or_copy, move_over
from hwgen.artefact.build_folder import Manifest, read_manifest
from hwgen.artefact.claim import claimed, in_use, storage_errors
from hwgen.boards import Board
from hwgen.errors import PlanError, ToolError
from hwgen.synthesis import netlist, tools
from hwgen.synthesis.families import Pll, choose_pll, family_of
from hwgen.synthesis.place import Placement, fastest, place_and_route
from hwgen.synthesis.progress import Phases
from hwgen.synthesis.report import FAILED_FOLDER, WORK_FOLDER, BuildReport
from hwgen.synthesis.shell import SHELL, copy_shell, shell_parameters
from hwgen.synthesis.tools import Watch


def build(
    folder: str | os.PathLike[str],
    *,
    board: str | os.PathLike[str] | Board | None = None,
    clock_mhz: float | None = None,
    seed: int = 1,
    tries: int = 1,
    progress: Watch | None = None,
) -> BuildReport:
    """Synthesise, place and route a build folder; the results are in its folder ``synth``.

    :meth:`hwgen.Build.place_and_route` describes the parameters. The tools work on a desk beside
    ``synth``, a folder with the files of the core and a ``synth`` of its own, which replaces the
    earlier one when all is done. If a tool fails, its log is kept in ``synth-failed``.
    """
    require_integer("seed", seed, 0, error=PlanError)
    require_integer("tries", tries, 1, error=PlanError)
    if clock_mhz is not None:
        require_number("clock_mhz", clock_mhz, "above 0", lambda x: x > 0, error=PlanError)
    manifest = read_manifest(folder)
    folder = Path(folder).resolve()
    name = board or manifest.board
    if name is None:
        raise PlanError(
            f"the core was generated without a board; choose one with --board "
            f"(available: {', '.join(boards.names())})"
        )
    chosen = name if isinstance(name, Board) else boards.load(name)
    tools.require("yosys", family_of(chosen).nextpnr)
    loop = choose_pll(chosen, clock_mhz * 1e6 if clock_mhz is not None else chosen.default_hz)
    work, failed = folder / WORK_FOLDER, folder / FAILED_FOLDER
    with in_use(folder), claimed(work) as desk, storage_errors(work):
        fresh = desk / WORK_FOLDER
        fresh.mkdir()
        for name in manifest.files:
            (desk / name).parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(folder / name, desk / name)
        try:
            seeds = range(seed, seed + tries)
            report = _build(desk, fresh, manifest, chosen, loop, seeds, progress)
            report.write(desk)
        except BaseException as error:
            with suppress(OSError):
                move_over(fresh, failed)
            if isinstance(error, ToolError):
                raise ToolError(str(error).replace(str(fresh), str(failed))) from error
            raise
        shutil.rmtree(failed, ignore_errors=True)
        move_over(fresh, work)
    return report


def _build(
    folder: Path,
    work: Path,
    manifest: Manifest,
    board: Board,
    loop: Pll | None,
    seeds: range,
    progress: Watch | None,
) -> BuildReport:
    clock_hz = loop.hz if loop else float(board.clock.hz)
    clock_mhz = clock_hz / 1e6
    shell = [f"{WORK_FOLDER}/{name}" for name in copy_shell(board, work)]
    started = time.monotonic()
    synthesised = netlist.synthesise(
        board,
        [*manifest.sources, *shell],
        top=SHELL,
        core=manifest.top,
        parameters=shell_parameters(manifest, board, loop, clock_hz),
        counters=manifest.address_width > 0,
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
            clock_mhz=clock_mhz,
            seed=seed,
            folder=folder,
            work=attempt,
            watch=Phases(f"place and route, seed {seed}", progress),
        )

    placed, bitstream, fmax = fastest(seeds, place, clock_mhz=clock_mhz, work=work)
    return BuildReport(
        core=manifest.name,
        board=board.name,
        part=f"{board.family} {board.device} {board.package}",
        seed=max(fmax, key=lambda seed: fmax[seed]),
        clock_mhz=round(clock_mhz, 3),
        fmax_mhz=placed.fmax_mhz,
        utilisation=placed.utilisation,
        units=units,
        critical_path=placed.critical_path,
        bitstream=bitstream.relative_to(folder).as_posix(),
        synthesis_seconds=round(routed_from - started, 1),
        place_seconds=round(time.monotonic() - routed_from, 1),
        fmax_of_seeds=fmax,
    )
