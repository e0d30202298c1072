# amaranth: UnusedElaboratable=no
"""The credit FIFO: no word is lost, and slots are reserved before the data arrives."""

from __future__ import annotations

import pytest
from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.streams.credit_fifo import CreditFifo
from tests.support.rtl.bench import Bench
from tests.support.rtl.streams import STALLS

WIDTH = 9


class Pipeline(wiring.Component):
    """A pipeline of ``stages`` registers that cannot stall, with the FIFO at its end."""

    def __init__(self, stages: int, depth: int) -> None:
        self._stages = stages
        self.fifo = CreditFifo(shape=WIDTH, depth=depth)
        super().__init__({"i": In(stream.Signature(WIDTH)), "o": Out(stream.Signature(WIDTH))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.fifo = fifo = self.fifo
        push, data = self.i.valid & fifo.credit, self.i.payload
        m.d.comb += [self.i.ready.eq(fifo.credit), fifo.reserve.eq(push)]
        for stage in range(self._stages):
            later, later_data = Signal(name=f"push_{stage}"), Signal(WIDTH, name=f"data_{stage}")
            m.d.sync += [later.eq(push), later_data.eq(data)]
            push, data = later, later_data
        m.d.comb += [fifo.push.eq(push), fifo.push_data.eq(data)]
        wiring.connect(m, fifo.words, wiring.flipped(self.o))
        return m


def words(count: int) -> list[int]:
    return [(37 * n + 5) % (1 << WIDTH) for n in range(count)]


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(("stages", "depth"), [(0, 3), (1, 3), (3, 15), (9, 7), (2, 31)])
def test_words_come_out_in_order(stages: int, depth: int, stall: tuple[float, float]) -> None:
    dut = Pipeline(stages, depth)
    bench = Bench(dut, seed=stages)
    bench.send(dut.i, words(200), stall=stall[0])
    bench.expect(dut.o, words(200), stall=stall[1])
    bench.run(reset_at=(53,))


@pytest.mark.parametrize("depth", [3, 7, 15, 31])
def test_credits_equal_the_slots(depth: int) -> None:
    """Without a consumer exactly ``depth`` words are accepted."""
    dut = Pipeline(3, depth)
    bench = Bench(dut)
    credit = bench.watch(dut.fifo.credit)
    bench.send(dut.i, words(depth + 3))
    with pytest.raises(AssertionError, match=f" {depth} of {depth + 3} words"):
        bench.run(timeout=60)
    assert credit == [1] * depth + [0] * (60 - depth)


def test_a_pushed_word_can_be_read_one_cycle_later() -> None:
    dut = Pipeline(2, 7)
    bench = Bench(dut)
    sent = bench.send(dut.i, words(20))
    got = bench.expect(dut.o, words(20))
    bench.run()
    assert got.cycles == [cycle + 2 + 1 for cycle in sent.cycles]


def test_one_word_per_cycle_when_the_fifo_covers_the_pipeline() -> None:
    """A slot is free again two cycles after its push, so depth 7 covers five stages."""
    dut = Pipeline(5, 7)
    bench = Bench(dut)
    bench.send(dut.i, words(50))
    got = bench.expect(dut.o, words(50))
    bench.run()
    assert got.cycles == list(range(6, 56))


@pytest.mark.parametrize("depth", [0, 1, 8, 16, -7, 63, "7"])
def test_depth_must_be_one_that_the_counter_supports(depth: object) -> None:
    with pytest.raises(TypeError, match="3, 7, 15 or 31"):
        CreditFifo(shape=4, depth=depth)
