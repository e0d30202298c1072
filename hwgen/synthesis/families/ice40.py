"""Lattice iCE40 UltraPlus.

PLL ranges: Lattice FPGA-DS-02008, section 4.15, and FPGA-TN-02052 for the filter.
"""

from __future__ import annotations

from collections.abc import Iterator

from hwgen.boards import Board, Resource
from hwgen.synthesis.families.family import PULLED_UP, Family, Pll, pins


class Ice40(Family):
    """Lattice iCE40 UltraPlus."""

    name = "ice40"
    packer = "icepack"
    scripts = (("synth_ice40 -top TOP -dsp -abc9",), ("synth_ice40 -top TOP -dsp",))
    cells = {
        "SB_LUT4": (Resource.LUT4, 1),
        "SB_RAM40_4K": (Resource.BLOCK_RAM, 1),
        "SB_MAC16": (Resource.MULTIPLIER, 1),
        "SB_SPRAM256KA": (Resource.SPRAM, 1),
    }
    # A logic cell is a LUT4 and a flip-flop; nextpnr counts cells.
    nextpnr_cells = {
        Resource.LUT4: "ICESTORM_LC",
        Resource.BLOCK_RAM: "ICESTORM_RAM",
        Resource.MULTIPLIER: "ICESTORM_DSP",
        Resource.SPRAM: "ICESTORM_SPRAM",
    }
    constraints_file = "pins.pcf"
    bitstream_file = "bitstream.bin"

    def cost(self, cell_type: str) -> tuple[Resource, int] | None:
        return (Resource.FF, 1) if cell_type.startswith("SB_DFF") else super().cost(cell_type)

    def constraints(self, board: Board) -> str:
        lines = [
            f"set_io {'-pullup yes ' if port in PULLED_UP else ''}{port} {pin}"
            for port, pin in pins(board).items()
        ]
        return "\n".join([*lines, f"set_frequency clk {board.clock.hz / 1e6:g}", ""])

    def nextpnr_options(self, board: Board, folder: str) -> list[str]:
        return ["--pcf", f"{folder}/{self.constraints_file}", "--asc", f"{folder}/routed.asc"]

    def packer_options(self, folder: str) -> list[str]:
        return [f"{folder}/routed.asc", f"{folder}/{self.bitstream_file}"]

    def plls(self, oscillator_hz: int) -> Iterator[Pll]:
        limits = (17e6, 26e6, 44e6, 66e6, 101e6)
        for reference in range(16):
            phase_hz = oscillator_hz / (reference + 1)
            if not 10e6 <= phase_hz <= 133e6:
                continue
            band = 1 + sum(phase_hz >= limit for limit in limits)
            for feedback in range(128):
                vco_hz = phase_hz * (feedback + 1)
                if not 533e6 <= vco_hz <= 1066e6:
                    continue
                for output in range(1, 7):
                    hz = vco_hz / (1 << output)
                    if 16e6 <= hz <= 275e6:
                        yield Pll(
                            reference=reference, feedback=feedback, output=output,
                            filter=band, hz=hz,
                        )  # fmt: skip
