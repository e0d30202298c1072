# amaranth: UnusedElaboratable=no
"""Weight memories: rows by address, as an Amaranth memory and as a file for ``$readmemh``."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from amaranth import Module, Value
from amaranth.hdl import Fragment, Instance
from amaranth.sim import Simulator

from hwgen.plan.units.memories import read_only
from hwgen.rtl.synapses.weight_memory import WeightMemory
from tests.support.rtl.words import join, split


def extremes(depth: int, lanes: int, bits: int, seed: int = 0) -> np.ndarray:
    top = 1 << bits - 1
    rows = np.random.default_rng(seed).integers(-top, top, (depth, lanes))
    rows.flat[0], rows.flat[-1] = -top, top - 1
    return rows


@pytest.mark.parametrize("kind", ["auto", "block", "lut", "split"])
@pytest.mark.parametrize(
    ("depth", "lanes", "bits"), [(1, 1, 2), (2, 3, 1), (13, 5, 7), (9, 2, 16), (1300, 3, 4)]
)
def test_a_row_follows_its_address_by_two_cycles(
    depth: int, lanes: int, bits: int, kind: str
) -> None:
    rows = extremes(depth, lanes, bits)
    dut = WeightMemory(rows=rows, weight_bits=bits, kind=kind)
    order = np.random.default_rng(1).integers(0, depth, 60).tolist()

    async def bench(ctx) -> None:
        ctx.set(dut.address, order[0])
        await ctx.tick()
        for before, address in itertools.pairwise(order):
            ctx.set(dut.address, address)
            await ctx.tick()
            raw = ctx.get(Value.cast(dut.row))
            assert split(raw, bits, lanes) == rows[before].tolist()

    m = Module()
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize(("depth", "lanes", "banks"), [(2304, 9, 5), (4608, 3, 9)])
def test_a_row_of_many_banks_follows_its_address_by_two_cycles(
    depth: int, lanes: int, banks: int
) -> None:
    assert read_only(depth, 4 * lanes, "block").banks == banks
    test_a_row_follows_its_address_by_two_cycles(depth, lanes, 4, "block")


def test_rows_in_luts_need_no_file() -> None:
    rows = extremes(13, 2, 4)
    memories = {
        kind: WeightMemory(rows=rows, weight_bits=4, file="w.hex", kind=kind)
        for kind in ("block", "lut", "split")
    }
    assert {kind: memory.file for kind, memory in memories.items()} == {
        "block": "w.hex", "lut": None, "split": "w.hex"
    }  # fmt: skip
    assert len(memories["block"].hex_lines().splitlines()) == 13
    lines = memories["split"].hex_lines().splitlines()
    assert [split(int(line, 16), 4, 2) for line in lines] == rows[:8].tolist()


@pytest.mark.parametrize(("lanes", "bits"), [(1, 2), (3, 5), (4, 8)])
def test_hex_lines_hold_the_rows_with_lane_0_lowest(lanes: int, bits: int) -> None:
    rows = extremes(11, lanes, bits)
    lines = WeightMemory(rows=rows, weight_bits=bits, kind="block").hex_lines().splitlines()
    assert {len(line) for line in lines} == {-(-lanes * bits // 4)}
    assert [split(int(line, 16), bits, lanes) for line in lines] == rows.tolist()


def test_hex_line_by_hand() -> None:
    memory = WeightMemory(rows=np.array([[1, -1, -8]]), weight_bits=4, kind="block")
    assert memory.hex_lines() == "8f1\n"
    assert memory.hex_lines() == f"{join([1, -1, -8], 4):03x}\n"


def test_rows_of_all_banks_share_a_line() -> None:
    # 1,300 rows of 12 bits: three banks of 512 fill one block of 36 bits; 2,048 by 9 take two.
    rows = extremes(1300, 3, 4)
    memory = WeightMemory(rows=rows, weight_bits=4, file="w.hex", kind="block")
    lines = memory.hex_lines().splitlines()
    stored = np.array([split(int(line, 16), 4, 9) for line in lines])
    assert stored.shape == (512, 9)
    banks = stored.reshape(512, 3, 3).swapaxes(0, 1).reshape(-1, 3)
    assert banks[:1300].tolist() == rows.tolist()
    assert not banks[1300:].any()


def test_large_memory_is_an_instance_with_its_file() -> None:
    memory = WeightMemory(rows=extremes(300, 3, 6), weight_bits=6, file="weights_0_0.hex")
    fragment = Fragment.get(memory, None)
    ((instance, _, _),) = fragment.subfragments
    assert isinstance(instance, Instance)
    assert instance.type == "hwgen_weight_memory"
    assert instance.parameters == {
        "WIDTH": 18, "DEPTH": 300, "ADDRESS_WIDTH": 9, "FILE": "weights_0_0.hex",
    }  # fmt: skip
    assert memory.file == "weights_0_0.hex"


def test_weights_beyond_their_width_are_rejected() -> None:
    for value in (-9, 8):
        with pytest.raises(ValueError, match="do not fit 4 bits"):
            WeightMemory(rows=np.array([[value]]), weight_bits=4)
