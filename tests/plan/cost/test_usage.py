"""Estimates of single memories: where block RAM begins, and weights with few bits set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwgen.plan.assembly import make_plan
from hwgen.plan.cost.area import layer_usage, path_usage
from hwgen.plan.cost.fabric import ECP5, ICE40
from hwgen.plan.cost.usage import (
    Usage,
    constants_usage,
    fifo_usage,
    memory_usage,
    weight_usage,
)
from hwgen.plan.units.memories import MemoryKind
from hwgen.plan.units.options import PlanOptions
from tests.support import two_layers


@pytest.mark.parametrize(
    ("rows", "width", "usage"),
    [
        (16, 16, Usage(24, 0, 16)),  # four LUT RAMs of 16 × 4 bits, six LUT4 each
        (16, 128, Usage(192, 0, 128)),  # 32 of them; four block RAMs of 36 bits would count 4 · 128
        (2048, 9, Usage(0, 1)),  # one block RAM
        (512, 72, Usage(0, 2)),
    ],
)
def test_small_memories_are_lut_ram_and_large_ones_block_ram(
    rows: int, width: int, usage: Usage
) -> None:
    assert memory_usage(rows, width) == usage


@pytest.mark.parametrize(
    ("rows", "width", "blocks", "ff"),
    [
        (16, 4, 0, 68),  # 64 flip-flops are no more than a block RAM counts; and 4 that are read
        (16, 5, 1, 0),
        (4, 20, 0, 100),  # two blocks count 128
        (64, 20, 2, 0),
        (300, 20, 3, 0),  # 512 × 8 three times
        (600, 20, 4, 0),  # three banks of 256 rows are 60 bits wide, in four blocks of 16
        (1200, 10, 4, 0),
        (2100, 3, 2, 0),
    ],
)
def test_memories_of_an_ice40(rows: int, width: int, blocks: int, ff: int) -> None:
    """What yosys 0.70 makes of a memory with one write and one read port."""
    usage = memory_usage(rows, width, ICE40)
    assert (usage.block_rams, 0 if blocks else usage.ff) == (blocks, ff)


@pytest.mark.parametrize(("width", "luts"), [(8, 125), (16, 229), (32, 437), (64, 853)])
def test_a_fifo_of_an_ice40_is_made_of_flip_flops(width: int, luts: int) -> None:
    """LUT4 of yosys 0.70: a multiplexer of 16 rows for each bit."""
    usage = fifo_usage(width, ICE40)
    assert (usage.block_rams, usage.ff) == (0, 16 * width)
    assert luts <= usage.lut4 <= 1.03 * luts
    assert fifo_usage(width) == Usage(6 * width / 4)


@pytest.mark.parametrize(
    ("rows", "width", "blocks"),
    [(128, 32, 2), (576, 128, 24), (640, 8, 2), (1152, 8, 3), (4608, 8, 9)],
)
def test_weights_in_block_ram_of_an_ice40(rows: int, width: int, blocks: int) -> None:
    """What yosys 0.70 makes of a weight memory, whose banks of rows lie side by side."""
    plan = make_plan(two_layers.network(), PlanOptions(lanes=8)).layers[0]
    plan = replace(plan, lanes=width // 4)
    (path,) = plan.paths
    several = replace(path, window=replace(path.window, rounds=rows // 8))
    assert (several.weight_depth, plan.lanes * path.weight_bits) == (rows, width)
    assert weight_usage(plan, several, MemoryKind.BLOCK, ICE40).block_rams == blocks


def test_flip_flops_beside_which_no_lut_lies_take_cells() -> None:
    """100 LUT4 and 40 flip-flops, of which 0.83 · 40 take a cell of their own."""
    assert Usage(100, 0, 40).cells(ICE40) == pytest.approx(133.2)
    assert Usage(100, 0, 40).cells(ECP5) == 100


def test_a_block_ram_replaces_128_luts() -> None:
    """36 bits wide: 32 rows count 4 · 2 · 9 + 0.6 · 36 = 93.6 LUT4, 48 rows 151.2."""
    assert memory_usage(32, 36).block_rams == 0
    assert memory_usage(48, 36) == Usage(0, 1)


def test_constants_of_128_rows_are_in_block_ram() -> None:
    assert constants_usage(128, 8) == Usage(0, 1)
    assert constants_usage(127, 8) == Usage(8 * 8, 0)  # 128 rows of a bit are eight LUT4


def test_weights_in_luts_cost_their_bits_where_few_are_set() -> None:
    """Eight rows of two lanes of four bits: a LUT4 per bit, or 0.75 LUT4 per bit that is set."""
    plan = make_plan(two_layers.network(), PlanOptions(lanes=2)).layers[0]
    (path,) = plan.paths
    assert (path.weight_depth // path.window.rounds, path.weight_bits) == (8, 4)
    small = replace(path, window=replace(path.window, rounds=1))
    dense, sparse = (
        weight_usage(plan, replace(small, weight_share=share), MemoryKind.LUT)
        for share in (1.0, 0.05)
    )
    assert dense == Usage(2 * 4, 0, 3 + 8)  # registers of the address and of the row
    assert sparse == Usage(pytest.approx(0.75 * 0.05 * 8 * 2 * 4), 0, 3 + 8)


def test_every_scanner_has_a_weight_memory_of_its_own() -> None:
    """Eight rows of eight bits of each scanner: a LUT4 per bit."""
    plan = make_plan(two_layers.network(), PlanOptions(lanes=2)).layers[0]
    (path,) = plan.paths
    for scanners in (1, 2, 4):
        window = replace(path.window, rounds=scanners, scanners=scanners)
        several = replace(path, window=window, weight_share=1.0)
        assert several.weight_depth == 8
        assert weight_usage(plan, several, MemoryKind.LUT) == Usage(scanners * 8, 0, scanners * 11)


def test_each_further_scanner_needs_an_adder_in_every_lane() -> None:
    """Two lanes of weights of four bits, and 2.3 more for the carry: 12.6 LUT4 per scanner."""
    plan = make_plan(two_layers.network(), PlanOptions(lanes=2)).layers[0]
    (path,) = plan.paths

    def without_paths(scanners: int) -> float:
        several = replace(path, window=replace(path.window, scanners=scanners))
        usage = layer_usage(replace(plan, paths=(several,)))
        return usage.lut4 - path_usage(several).lut4

    assert without_paths(2) - without_paths(1) == pytest.approx(2 * (4 + 2.3))
    assert without_paths(4) - without_paths(1) == pytest.approx(3 * 2 * (4 + 2.3))
