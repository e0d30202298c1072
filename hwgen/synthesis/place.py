"""Place and route with nextpnr, and the figures of its report."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from hwgen.boards import Board, Resource
from hwgen.errors import ToolError
from hwgen.synthesis.families import family_of
from hwgen.synthesis.report import CriticalPath, PathStep, Usage
from hwgen.synthesis.tools import Watch, run
from hwgen.validation import first_problem


class _Clock(BaseModel):
    """Clock in nextpnr's report (``--report``); ``achieved`` is its maximum in MHz."""

    achieved: float


class _Endpoint(BaseModel):
    cell: str


class _Step(BaseModel):
    """Step of a path to a cell; ``delay`` in ns, ``type`` logic, clk-to-q, setup or routing."""

    type: str
    to: _Endpoint
    net: str = ""
    delay: float


class _TimingPath(BaseModel):
    """Slowest path from one clock's domain to another's."""

    start: str = Field(alias="from")
    end: str = Field(alias="to")
    path: tuple[_Step, ...] = Field(min_length=1)

    @property
    def is_within_a_clock(self) -> bool:
        return self.start == self.end != "<async>"


class _NextpnrReport(BaseModel):
    """Clocks by name, usage by cell type, and the slowest paths."""

    fmax: dict[str, _Clock]
    utilization: dict[str, Usage]
    critical_paths: tuple[_TimingPath, ...]

    @classmethod
    def read(cls, path: Path, *, luts: str) -> _NextpnrReport:
        """Raises :class:`.ToolError` if nextpnr wrote a report of another form, or no ``luts``."""
        try:
            report = cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise ToolError(f"{path}: {first_problem(error)}; use another nextpnr") from error
        if luts not in report.utilization:
            raise ToolError(f"{path}: utilization has no {luts}; use another nextpnr")
        return report


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Figures of a routed design."""

    fmax_mhz: float
    utilisation: dict[Resource, Usage]
    critical_path: CriticalPath | None


def place_and_route(
    board: Board,
    *,
    netlist: str,
    clock_mhz: float,
    seed: int,
    folder: Path,
    work: Path,
    watch: Watch | None = None,
) -> tuple[Placement, Path]:
    """Run nextpnr and the packer in ``work``; gives the figures and the bitstream.

    The tools run in ``folder``; ``netlist`` is relative to it.
    """
    family = family_of(board)
    here = work.relative_to(folder).as_posix()
    (work / family.constraints_file).write_text(family.constraints(board), encoding="utf-8")
    options = [
        f"--{board.device}", "--package", board.package, "--json", netlist,
        "--report", f"{here}/nextpnr.json", "--freq", f"{clock_mhz:g}", "--seed", str(seed),
        "--timing-allow-fail", *family.nextpnr_options(board, here),
    ]  # fmt: skip
    run(family.nextpnr, options, folder=folder, log=work / "nextpnr.log", watch=watch)
    log = work / f"{family.packer}.log"
    run(family.packer, family.packer_options(here), folder=folder, log=log, watch=watch)
    report = _NextpnrReport.read(work / "nextpnr.json", luts=family.nextpnr_cells[Resource.LUT4])
    return _figures(board, report), work / family.bitstream_file


def fastest(
    seeds: Iterable[int],
    place: Callable[[int, Path], tuple[Placement, Path]],
    *,
    clock_mhz: float,
    work: Path,
) -> tuple[Placement, Path, dict[int, float]]:
    """Place with the first of ``seeds`` that meets ``clock_mhz``, or with the fastest of all.

    The clock of a full chip varies by a tenth between seeds.
    ``place(seed, folder)`` writes its files into ``folder`` and gives the figures and the
    bitstream; the files of the chosen seed are moved into ``work``. The third result is the
    maximum clock in MHz of every seed that was tried.
    """
    fmax: dict[int, float] = {}
    best: tuple[Placement, Path] | None = None
    for seed in seeds:
        attempt = work / f"seed-{seed}"
        attempt.mkdir()
        placed, bitstream = place(seed, attempt)
        fmax[seed] = placed.fmax_mhz
        if best and placed.fmax_mhz <= best[0].fmax_mhz:
            shutil.rmtree(attempt)
            continue
        if best:
            shutil.rmtree(best[1].parent)
        best = placed, bitstream
        if placed.fmax_mhz >= clock_mhz:
            break
    if best is None:
        raise ValueError("fastest() needs a seed")
    placed, bitstream = best
    for file in bitstream.parent.iterdir():
        file.rename(work / file.name)
    bitstream.parent.rmdir()
    return placed, work / bitstream.name, fmax


def _figures(board: Board, report: _NextpnrReport) -> Placement:
    """Figures for the core's clock, which is the slowest one."""
    slowest = min((clock.achieved for clock in report.fmax.values()), default=0.0)
    paths = [_path(path) for path in report.critical_paths if path.is_within_a_clock]
    return Placement(
        fmax_mhz=round(slowest, 2),
        utilisation={
            resource: report.utilization[cell]
            for resource, cell in family_of(board).nextpnr_cells.items()
            if cell in report.utilization
        },
        critical_path=max(paths, key=lambda path: path.delay_ns, default=None),
    )


def _path(path: _TimingPath) -> CriticalPath:
    steps = tuple(
        PathStep(
            kind=step.type, cell=_cell(step.to.cell), net=step.net, delay_ns=round(step.delay, 3)
        )
        for step in path.path
    )
    logic = sum(step.delay_ns for step in steps if step.kind != "routing")
    routing = sum(step.delay_ns for step in steps if step.kind == "routing")
    return CriticalPath(
        source=steps[0].cell,
        sink=steps[-1].cell,
        delay_ns=round(logic + routing, 3),
        logic_ns=round(logic, 3),
        routing_ns=round(routing, 3),
        steps=steps,
    )


def _cell(name: str) -> str:
    """Signal of a cell: ``core.conv1.acc_TRELLIS_FF_Q_3_DI_LUT4_Z`` → ``core.conv1.acc``.

    Yosys names a cell after the nearest signal of the design and appends the path to it.
    """
    cells = r"TRELLIS_FF|LUT4|CCU2C|PFUMX|L6MUX21|DP16KD|MULT18X18D|TRELLIS_DPR16X4|SB_[A-Z0-9]+"
    return re.split(rf"_(?:{cells})(?:_|\$|$)", name, maxsplit=1)[0]
