"""All figures of a build folder in one place: ``report.json``, ``report.html``."""

from hwgen.report.gather import gather
from hwgen.report.html import write

__all__ = ["gather", "write"]
