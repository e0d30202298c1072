"""Cost of memories against recorded yosys results, a few of them synthesised again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwgen import boards
from hwgen.generation.verilog import to_verilog
from hwgen.plan.units.memories import (
    LUTS_PER_BLOCK,
    READ_ONLY_KINDS,
    MemoryKind,
    read_only,
    read_write,
    split_rows,
)
from hwgen.rtl.synapses.weight_memory import WeightMemory
from hwgen.synthesis.netlist import synthesise_out_of_context, total

# (rows, bits, kind): (block RAMs, LUT4) of a `WeightMemory`, yosys 0.70, random contents.
READ_ONLY = {
    (9, 32, "lut"): (0, 29),
    (27, 32, "lut"): (0, 64),
    (64, 128, "lut"): (0, 512),
    (72, 32, "lut"): (0, 256),
    (144, 32, "lut"): (0, 363),
    (288, 32, "lut"): (0, 702),
    (72, 12, "block"): (1, 0),
    (144, 128, "block"): (4, 0),
    (576, 128, "block"): (8, 0),
    (700, 20, "block"): (2, 0),
    (1024, 36, "block"): (2, 0),
    (1152, 128, "block"): (11, 256),
    (1600, 30, "block"): (4, 0),
    (2304, 16, "block"): (3, 32),
    (2304, 128, "block"): (18, 384),
    (4608, 128, "block"): (32, 1032),
    (5000, 10, "block"): (3, 30),
    (3000, 24, "block"): (4, 48),
    (20000, 8, "block"): (9, 65),
}
# LUT RAM counts six LUT4 for 16 × 4 bits.
READ_WRITE = {
    (16, 16, "lut"): (0, 24),
    (32, 16, "lut"): (0, 66),
    (48, 16, "lut"): (0, 107),
    (64, 16, "lut"): (0, 164),
    (128, 16, "lut"): (0, 296),
    (256, 76, "lut"): (0, 3440),
    (96, 32, "block"): (1, 0),
    (256, 76, "block"): (3, 0),
    (520, 32, "block"): (2, 0),
    (1024, 76, "block"): (5, 0),
    (1100, 20, "block"): (3, 0),
    (2304, 64, "block"): (10, 197),
    (5000, 9, "block"): (3, 21),
}


def near(estimate: int, measured: int) -> bool:
    """Within 15 %, or within the few LUTs of an address decoder."""
    return abs(estimate - measured) <= max(10, 0.15 * measured)


@pytest.mark.parametrize("shape", READ_ONLY)
def test_constants(shape: tuple) -> None:
    cost, (blocks, luts) = read_only(*shape), READ_ONLY[shape]
    assert cost.block_rams == blocks
    assert near(cost.luts, luts)


@pytest.mark.parametrize("shape", READ_WRITE)
def test_one_write_and_one_read_port(shape: tuple) -> None:
    cost, (blocks, luts) = read_write(*shape), READ_WRITE[shape]
    assert cost.block_rams == blocks
    assert near(cost.luts, luts)


@pytest.mark.parametrize("rows", [1, 16, 100, 512, 576, 1152, 2304])
@pytest.mark.parametrize("width", [8, 36, 128])
def test_auto_has_the_minimum_weight(rows: int, width: int) -> None:
    best = read_only(rows, width)
    costs = [read_only(rows, width, kind) for kind in READ_ONLY_KINDS[: 3 if rows > 512 else 2]]
    weights = [cost.luts + LUTS_PER_BLOCK * cost.block_rams for cost in costs]
    assert best.luts + LUTS_PER_BLOCK * best.block_rams == min(weights)
    assert best in costs


def test_lut_ram_by_hand() -> None:
    """16 rows of 4 bits are six LUT4; three groups of rows need a decoder, and a choice of four."""
    assert read_write(16, 4, MemoryKind.LUT).luts == 6
    assert read_write(48, 4, MemoryKind.LUT).luts == 3 * 6 + 3 + 4 * 2


def test_a_memory_just_over_a_power_of_two_is_split() -> None:
    """576 rows: 512 in four blocks of 36 bits, 64 rows of four LUT4 per bit, and an OR."""
    cost = read_only(576, 128)
    assert (cost.kind, cost.block_rams, cost.luts) == ("split", 4, 64 * 128 // 16 + 128)
    assert [split_rows(rows) for rows in (1, 512, 576, 1023)] == [1, 512, 512, 512]


def test_an_unknown_kind_is_rejected() -> None:
    with pytest.raises(ValueError, match="'flash'"):
        MemoryKind("flash")
    for kind in (MemoryKind.SPLIT, MemoryKind.AUTO):
        with pytest.raises(ValueError, match=f"in block RAM or in LUTs, not {kind}"):
            read_write(8, 8, kind)


@pytest.mark.parametrize(
    "shape",
    [(27, 8, "lut"), (100, 8, "lut"), (576, 20, "block"), (1152, 24, "block"),
     (2304, 16, "block"), (2304, 36, "block"), (4608, 12, "block")],
)  # fmt: skip
def test_yosys_agrees(shape: tuple[int, int, str], tmp_path: Path) -> None:
    """Narrow memories are synthesised again, so that a change of yosys is noticed."""
    rows, width, kind = shape
    content = np.random.default_rng(0).integers(-2, 2, (rows, width // 2))
    memory = WeightMemory(rows=content, weight_bits=2, kind=kind)
    files = {"top.v": to_verilog(memory, name="top")}
    used = total(
        synthesise_out_of_context(boards.load("ulx3s-85f"), files, top="top", folder=tmp_path)
    )
    cost = read_only(*shape)
    assert used["block_ram"] == cost.block_rams
    assert near(cost.luts, used["lut4"])
