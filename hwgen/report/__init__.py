"""Figures of a build folder: gathered from its files, written as JSON and as an HTML page."""

from hwgen.report.figures import BuildFigures, gather
from hwgen.report.html import write

__all__ = ["BuildFigures", "gather", "write"]
