"""Synthesis, place and route for a board: a build folder in, a bitstream and its figures out."""

from hwgen.synthesis.flow import BuildReport, build

__all__ = ["BuildReport", "build"]
