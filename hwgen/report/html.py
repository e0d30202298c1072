"""Writes the figures of a build folder as JSON and as a self-contained HTML page."""

from __future__ import annotations

import os
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hwgen.artefact.atomic import replace_file
from hwgen.boards import Resource
from hwgen.plan.units.counters import CounterKind
from hwgen.report.figures import BuildFigures


def write(folder: str | os.PathLike[str], figures: BuildFigures) -> tuple[Path, Path]:
    """Write ``report.json`` and ``report.html`` into ``folder``; gives their paths."""
    page = Path(folder) / "report.html"
    replace_file(page, render(figures))
    return figures.write(page.parent), page


def render(figures: BuildFigures) -> str:
    """HTML page of the figures."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["show"] = show
    return environment.get_template("report.html.j2").render(
        figures=figures, Resource=Resource, CounterKind=CounterKind
    )


def show(value: object, digits: int = 4) -> str:
    """A figure in the form that people read; a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.{digits}g}"
    if isinstance(value, int | float):
        return f"{int(value):,}"
    return str(value)
