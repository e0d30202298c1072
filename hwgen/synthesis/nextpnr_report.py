"""The JSON report of nextpnr, as far as it is used (``--report``)."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from hwgen.errors import ToolError
from hwgen.synthesis.report import Usage
from hwgen.validation import first_problem


class Clock(BaseModel):
    """Clock; ``achieved`` is its maximum in MHz."""

    achieved: float


class Endpoint(BaseModel):
    cell: str


class Step(BaseModel):
    """Step of a path to a cell; ``delay`` in ns, ``type`` logic, clk-to-q, setup or routing."""

    type: str
    to: Endpoint
    net: str = ""
    delay: float


class TimingPath(BaseModel):
    """Slowest path from one clock's domain to another's."""

    start: str = Field(alias="from")
    end: str = Field(alias="to")
    path: tuple[Step, ...]

    @property
    def is_within_a_clock(self) -> bool:
        return self.start == self.end != "<async>"


class NextpnrReport(BaseModel):
    """Clocks by name, usage by cell type, and the slowest paths."""

    fmax: dict[str, Clock]
    utilization: dict[str, Usage]
    critical_paths: tuple[TimingPath, ...]

    @classmethod
    def read(cls, path: Path) -> NextpnrReport:
        """Raises :class:`ToolError` if nextpnr wrote a report of another form."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise ToolError(f"{path}: {first_problem(error)}; use another nextpnr") from error
