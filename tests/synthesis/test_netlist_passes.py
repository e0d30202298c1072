"""Registers after a block RAM move into its output registers wherever these are equivalent."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen import boards
from hwgen.boards import Resource
from hwgen.generation.verilog import to_verilog
from hwgen.rtl.synapses.weight_memory import WeightMemory
from hwgen.synthesis.netlist import synthesise_out_of_context, total
from hwgen.synthesis.netlist_passes import absorb

Change = Callable[[dict[str, Any]], None]


def flip_flop(data: int, output: int) -> dict[str, Any]:
    directions = {"CLK": "input", "DI": "input", "LSR": "input", "CE": "input", "Q": "output"}
    return {
        "type": "TRELLIS_FF",
        "parameters": {"CEMUX": "1 ", "CLKMUX": "CLK", "REGSET": "RESET"},
        "port_directions": directions,
        "connections": {"CLK": [2], "DI": [data], "LSR": ["0"], "CE": ["x"], "Q": [output]},
    }


def netlist() -> dict[str, Any]:
    """An 18-bit block RAM whose outputs 10 and 11 drive registers with outputs 20 and 21."""
    block = {
        "type": "DP16KD",
        "parameters": {"DATA_WIDTH_A": f"{18:032b}", "REGMODE_A": "NOREG", "REGMODE_B": "NOREG"},
        "port_directions": {
            "CLKA": "input", "CLKB": "input", "CEB": "input", "WEB": "input", "RSTB": "input",
            "OCEA": "input", "OCEB": "input", "DOA0": "output", "DOB0": "output", "DOB1": "output",
        },
        "connections": {
            "CLKA": ["0"], "CLKB": [2], "CEB": ["1"], "WEB": ["0"], "RSTB": ["0"],
            "OCEA": ["0"], "OCEB": ["1"], "DOA0": [30], "DOB0": [10], "DOB1": [11],
        },
    }  # fmt: skip
    cells = {"block": block, "low": flip_flop(10, 20), "high": flip_flop(11, 21)}
    ports = {"q": {"direction": "output", "bits": [20, 21]}}
    return {"modules": {"top": {"cells": cells, "ports": ports}}}


def absorbed(folder: Path, design: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    file = folder / "netlist.json"
    file.write_text(json.dumps(design))
    count = absorb(file)
    return count, json.loads(file.read_text())["modules"]["top"]["cells"]


def test_registers_of_all_outputs_move_into_the_block(tmp_path: Path) -> None:
    count, cells = absorbed(tmp_path, netlist())
    assert count == 2
    assert list(cells) == ["block"]
    block = cells["block"]
    assert (block["connections"]["DOB0"], block["connections"]["DOB1"]) == ([20], [21])
    assert {block["parameters"][f"REGMODE_{side}"] for side in "AB"} == {"OUTREG"}
    assert block["connections"]["OCEA"] == block["connections"]["OCEB"] == ["1"]


def test_the_upper_half_of_36_bits_comes_from_the_other_port(tmp_path: Path) -> None:
    design = netlist()
    cells = design["modules"]["top"]["cells"]
    cells["third"] = flip_flop(30, 22)
    assert absorbed(tmp_path, copy.deepcopy(design))[0] == 0
    cells["block"]["parameters"]["DATA_WIDTH_A"] = f"{36:032b}"
    count, after = absorbed(tmp_path, design)
    assert count == 3
    assert after["block"]["connections"]["DOA0"] == [22]


def _set(cell: str, kind: str, name: str, value: object) -> Change:
    def change(cells: dict[str, Any]) -> None:
        cells[cell][kind][name] = value

    return change


def _logic(cells: dict[str, Any]) -> None:
    cells["high"]["type"] = "LUT4"


def _read_twice(cells: dict[str, Any]) -> None:
    cells["other"] = flip_flop(11, 23)


@pytest.mark.parametrize(
    "change",
    [
        _set("high", "connections", "LSR", [5]),
        _set("high", "connections", "CLK", [3]),
        _set("high", "parameters", "CEMUX", "CE"),
        _set("high", "parameters", "CLKMUX", "INV"),
        _set("high", "parameters", "REGSET", "SET"),
        _logic,
        _set("block", "connections", "CEB", [6]),
        _set("block", "connections", "WEB", [6]),
        _set("block", "connections", "RSTB", [6]),
        _read_twice,
    ],
    ids=["reset", "clock", "enable", "edge", "initial 1", "logic", "block enable", "writes",
         "block reset", "two readers"],
)  # fmt: skip
def test_registers_that_the_block_cannot_replace_stay_outside(
    tmp_path: Path, change: Change
) -> None:
    design = netlist()
    cells = design["modules"]["top"]["cells"]
    change(cells)
    count, after = absorbed(tmp_path, copy.deepcopy(design))
    assert count == 0
    assert after == cells


def test_an_output_that_is_also_a_port_keeps_its_register(tmp_path: Path) -> None:
    design = netlist()
    design["modules"]["top"]["ports"]["direct"] = {"direction": "output", "bits": [11]}
    assert absorbed(tmp_path, design)[0] == 0


def test_registers_of_a_weight_memory_from_yosys_are_absorbed(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).integers(-8, 8, (1300, 3))  # three banks
    memory = WeightMemory(rows=rows, weight_bits=4, kind="block")
    source = to_verilog(memory, name="top")
    board = boards.load("ulx3s-85f")
    units = synthesise_out_of_context(board, {"top.v": source}, top="top", folder=tmp_path)
    before = total(units)
    # The bank number is delayed by two registers of its own.
    assert (before[Resource.BLOCK_RAM], before[Resource.FF]) == (1, 3 * 12 + 4)
    assert absorb(tmp_path / "unit.json") == 3 * 12
    assert absorb(tmp_path / "unit.json") == 0
