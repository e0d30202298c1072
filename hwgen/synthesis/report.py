"""Result of synthesis, place and route, as ``synth/report.json`` holds it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, computed_field, field_validator

from hwgen.artefact.report_file import ReportFile
from hwgen.boards import Resource
from hwgen.validation import Count, Figure, FilePath, FrozenModel, Identifier, Word

Delay = Annotated[float, Field(ge=-1e9, le=1e9)]
"""In ns; below 0 after a constraint."""

WORK_FOLDER = "synth"
"""Folder of synthesis, place and route in a build folder."""
FAILED_FOLDER = f"{WORK_FOLDER}-failed"
"""Folder of the last run of the tools that failed."""


class PathStep(FrozenModel):
    """Step of a path: through ``cell`` (``kind`` logic, clk-to-q, setup) or to it (routing)."""

    kind: str
    cell: str
    net: str
    delay_ns: Delay


class CriticalPath(FrozenModel):
    """Slowest path between two flip-flops or memories of the core's clock."""

    source: str
    sink: str
    delay_ns: Delay
    logic_ns: Delay
    routing_ns: Delay
    steps: tuple[PathStep, ...]

    @property
    def levels(self) -> int:
        """Cells of logic between the two ends."""
        return sum(step.kind == "logic" for step in self.steps)


class Usage(FrozenModel, extra="ignore"):
    """Amount of a resource that the routed design uses, and that the part has."""

    used: Count
    available: Count

    @property
    def percent(self) -> float:
        return 100 * self.used / self.available if self.available else 0.0


class BuildReport(ReportFile, extra="ignore"):
    """Place and route of a core in its board's shell.

    Parameters
    ----------
    core, board, part : str
    seed : int
        Seed of place and route that gave the bitstream.
    clock_mhz : float
        Clock that the bitstream makes from the board's oscillator.
    fmax_mhz : float
        Maximum clock of the routed design, shell included.
    utilisation : {resource: Usage}
    units : {unit: {resource: used}}
        After synthesis: each unit of the core, "core" for the logic between them, and "shell".
    critical_path : CriticalPath or None
    bitstream : str
        Relative to the build folder.
    synthesis_seconds, place_seconds : float
    fmax_of_seeds : {seed: MHz}
        Maximum clock of each seed that was tried.
    """

    # meets_timing is written too and computed again when read: extra="ignore".
    FILE = f"{WORK_FOLDER}/report.json"
    COMMAND = "build"

    core: Identifier
    board: Word
    part: str
    seed: Count
    clock_mhz: Figure
    fmax_mhz: Figure
    utilisation: dict[Resource, Usage]
    units: dict[str, dict[Resource, Count]]
    critical_path: CriticalPath | None
    bitstream: FilePath
    synthesis_seconds: Figure
    place_seconds: Figure
    fmax_of_seeds: dict[Count, Figure]

    @field_validator("utilisation")
    @classmethod
    def _has_luts(cls, value: dict[Resource, Usage]) -> dict[Resource, Usage]:
        if Resource.LUT4 not in value:
            raise ValueError("lut4 is missing")
        return value

    @computed_field  # type: ignore[prop-decorator]  # mypy: decorators on top of @property
    @property
    def meets_timing(self) -> bool:
        """Whether the routed design is fast enough for its clock."""
        return self.fmax_mhz >= self.clock_mhz
