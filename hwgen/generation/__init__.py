"""From a network to a build folder: a plan, Verilog, memory files and the manifest."""

from hwgen.generation.generator import generate

__all__ = ["generate"]
