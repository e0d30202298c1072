"""The board's shell around a core: serial port, reset and clock, from ``rtl_templates``."""

from __future__ import annotations

import shutil
from pathlib import Path

from hwgen.artefact.build_folder import InputKind, Manifest
from hwgen.boards import Board
from hwgen.resources import resource_dir
from hwgen.synthesis.families import Pll

SHELL = "hwgen_board_shell"
"""Name of the top module."""


def copy_shell(board: Board, work: Path) -> list[str]:
    """Copy the Verilog of the shell into ``work``; gives the names of the files."""
    names = [f"{name}.v" for name in (SHELL, "hwgen_board_uart", f"hwgen_board_pll_{board.family}")]
    for name in names:
        shutil.copyfile(resource_dir("rtl_templates") / name, work / name)
    return names


def shell_parameters(
    manifest: Manifest, board: Board, loop: Pll | None, clock_hz: float
) -> dict[str, int]:
    """Verilog parameters of the shell around a core; ``loop`` makes its clock."""
    input_bytes = manifest.input_width // 8
    beats = manifest.plan.encoder.beats if manifest.input.kind is InputKind.PIXELS else 0
    parameters = {
        "DIVISOR": max(round(clock_hz / board.uart.baud), 4),
        "INPUT_BYTES": input_bytes,
        # 0 for address events: a sample has any number of them.
        "SAMPLE_BYTES": beats * input_bytes,
        "OUTPUT_BYTES": manifest.output_width // 8,
        "ADDRESS_WIDTH": max(manifest.address_width, 1),
        "PLL": int(loop is not None),
    }
    if loop:
        names = ("reference", "feedback", "output", "filter")
        parameters |= {f"PLL_{name.upper()}": getattr(loop, name) for name in names}
    return parameters
