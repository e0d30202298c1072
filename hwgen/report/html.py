"""Writes the figures of a build folder as JSON and as one page that needs nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def write(folder: str | Path, figures: Mapping[str, Any]) -> tuple[Path, Path]:
    """Write ``report.json`` and ``report.html`` into ``folder``; gives their paths.

    ``figures`` are those of :func:`hwgen.report.gather`.
    """
    folder = Path(folder)
    texts = {
        folder / "report.json": json.dumps(figures, indent=1, ensure_ascii=False) + "\n",
        folder / "report.html": render(figures),
    }
    for path, text in texts.items():
        part = path.with_name(f".{path.name}.part")
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    first, second = texts
    return first, second


def render(figures: Mapping[str, Any]) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["show"] = show
    return environment.get_template("report.html.j2").render(**figures)


def show(value: object, digits: int = 4) -> str:
    """A figure as a person reads it; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.{digits}g}"
    if isinstance(value, int | float):
        return f"{int(value):,}"
    return str(value)
