"""Synthesis, place and route: from a build folder to a board's bitstream and its figures."""

from hwgen.synthesis.flow import build
from hwgen.synthesis.report import BuildReport

__all__ = ["BuildReport", "build"]
