"""Interface of an FPGA family: tools, cells, constraints and phase-locked loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from hwgen.boards import Board, Resource


@dataclass(frozen=True, kw_only=True)
class Pll:
    """Parameters of the template ``hwgen_board_pll_FAMILY.v``, and its output clock in Hz."""

    reference: int
    feedback: int
    output: int
    filter: int
    hz: float


class Family(ABC):
    """An FPGA family.

    Attributes
    ----------
    name : str
        As in board files and in the names of nextpnr and of the PLL template.
    packer : str
        Program that turns the routed design into a bitstream.
    scripts : tuple of tuple of str
        Yosys commands that synthesise ``TOP``; each is tried if the one before fails in ABC9.
    cells, nextpnr_cells
        Resource and amount of each cell type after synthesis; cell type in which nextpnr reports
        its utilisation of each resource.
    """

    name: ClassVar[str]
    packer: ClassVar[str]
    scripts: ClassVar[tuple[tuple[str, ...], ...]]
    cells: ClassVar[Mapping[str, tuple[Resource, int]]]
    nextpnr_cells: ClassVar[Mapping[Resource, str]]
    constraints_file: ClassVar[str]
    bitstream_file: ClassVar[str]

    @property
    def nextpnr(self) -> str:
        """Program for place and route."""
        return f"nextpnr-{self.name}"

    def synthesis_scripts(self, top: str) -> list[list[str]]:
        """``scripts`` for the module ``top``."""
        return [[line.replace("TOP", top) for line in script] for script in self.scripts]

    def cost(self, cell_type: str) -> tuple[Resource, int] | None:
        """Resource that a cell takes up, and its amount; None for a cell that is free."""
        return self.cells.get(cell_type)

    def improve(self, netlist: Path) -> None:  # noqa: B027  # most families have no passes
        """Apply the family's netlist passes to yosys' JSON file; by default none."""

    @abstractmethod
    def constraints(self, board: Board) -> str:
        """Text of the constraints file: pins and oscillator of a board's shell."""

    @abstractmethod
    def nextpnr_options(self, board: Board, folder: str) -> list[str]:
        """Options of nextpnr besides the common ones, for files in ``folder``."""

    @abstractmethod
    def packer_options(self, folder: str) -> list[str]:
        """Options of the packer for the routed design in ``folder``."""

    @abstractmethod
    def plls(self, oscillator_hz: int) -> Iterator[Pll]:
        """Every setting of the loop that is within the limits of the data sheet."""


def pins(board: Board) -> dict[str, str]:
    """Pin of each port of the shell."""
    return {
        "clk": board.clock.pin,
        "reset_n": board.reset_pin,
        "rx": board.uart.rx_pin,
        "tx": board.uart.tx_pin,
    }


PULLED_UP = ("reset_n", "rx")
"""Ports of the shell that need a pull-up."""
