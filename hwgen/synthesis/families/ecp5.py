"""Lattice ECP5.

PLL ranges: Lattice FPGA-DS-02012, section 3.19.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hwgen.boards import Board, Resource
from hwgen.synthesis import netlist_passes
from hwgen.synthesis.families.family import PULLED_UP, Family, Pll, pins

WIRE_PS = 1000
"""Delay of a wire for the mapping to look-up tables: about that of nextpnr in a full ECP5. Yosys'
default of 300 ps favours chains over trees."""


def _script(*mapping: str) -> tuple[str, ...]:
    return (
        "synth_ecp5 -top TOP -run :map_luts",
        "techmap -map +/lattice/latches_map.v",
        *mapping,
        "clean",
        "synth_ecp5 -top TOP -run map_cells:",
    )


class Ecp5(Family):
    """Lattice ECP5."""

    name = "ecp5"
    packer = "ecppack"
    # ABC9 knows the delays of carries and multipliers; ABC does not.
    scripts = (_script(f"abc9 -W {WIRE_PS}"), _script("abc -dress -lut 4:7"))
    # A carry cell is two LUT4; a distributed RAM of 16 × 4 is four, and two more for its write
    # port.
    cells = {
        "LUT4": (Resource.LUT4, 1),
        "CCU2C": (Resource.LUT4, 2),
        "TRELLIS_DPR16X4": (Resource.LUT4, 6),
        "TRELLIS_FF": (Resource.FF, 1),
        "DP16KD": (Resource.BLOCK_RAM, 1),
        "PDPW16KD": (Resource.BLOCK_RAM, 1),
        "MULT18X18D": (Resource.MULTIPLIER, 1),
    }
    nextpnr_cells = {
        Resource.LUT4: "TRELLIS_COMB",
        Resource.FF: "TRELLIS_FF",
        Resource.BLOCK_RAM: "DP16KD",
        Resource.MULTIPLIER: "MULT18X18D",
    }
    constraints_file = "pins.lpf"
    bitstream_file = "bitstream.bit"

    def improve(self, netlist: Path) -> None:
        netlist_passes.absorb(netlist)

    def constraints(self, board: Board) -> str:
        lines = []
        for port, pin in pins(board).items():
            pull = " PULLMODE=UP" if port in PULLED_UP else ""
            lines.append(f'LOCATE COMP "{port}" SITE "{pin}";')
            lines.append(f'IOBUF PORT "{port}" IO_TYPE={board.io_standard}{pull};')
        return "\n".join([*lines, f'FREQUENCY PORT "clk" {board.clock.hz / 1e6:g} MHZ;', ""])

    def nextpnr_options(self, board: Board, folder: str) -> list[str]:
        # On full chips the default placer takes hours, and its wires are a third longer.
        options = ["--placer", "static", "--speed", str(board.speed_grade)]
        options += ["--lpf", f"{folder}/{self.constraints_file}"]
        return [*options, "--textcfg", f"{folder}/routed.config"]

    def packer_options(self, folder: str) -> list[str]:
        return ["--compress", f"{folder}/routed.config", f"{folder}/{self.bitstream_file}"]

    def plls(self, oscillator_hz: int) -> Iterator[Pll]:
        for reference in range(1, 129):
            phase_hz = oscillator_hz / reference
            if not 3.125e6 <= phase_hz <= 400e6:
                continue
            for feedback in range(1, 129):
                hz = phase_hz * feedback
                # As near as possible to the middle of the oscillator's range, 400 to 800 MHz.
                output = min(range(1, 129), key=lambda n: abs(hz * n - 600e6))
                if 400e6 <= hz * output <= 800e6 and hz <= 400e6:
                    yield Pll(
                        reference=reference, feedback=feedback, output=output, filter=0, hz=hz
                    )
