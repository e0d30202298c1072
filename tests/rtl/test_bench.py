"""The testbench detects streams that break the rules."""

from __future__ import annotations

import pytest
from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tests.support.rtl.bench import Bench
from tests.support.rtl.words import join, split


class Register(wiring.Component):
    """A stream register with an optional ``fault``."""

    def __init__(self, fault: str = "") -> None:
        self._fault = fault
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        count = Signal(8)
        full = Signal()
        m.d.comb += [self.i.ready.eq(~full | self.o.ready), self.o.valid.eq(full)]
        if self._fault == "valid waits for ready":
            m.d.comb += self.o.valid.eq(full & self.o.ready)
        if self._fault == "valid waits a cycle for ready":
            seen = Signal()
            m.d.sync += seen.eq(self.o.ready)
            m.d.comb += self.o.valid.eq(full & seen)
        with m.If(self.i.ready):
            m.d.sync += full.eq(self.i.valid)
            with m.If(self.i.valid):
                m.d.sync += [self.o.payload.eq(self.i.payload), count.eq(count + 1)]
        if self._fault == "takes words that are not valid":
            with m.If(self.i.ready):
                m.d.sync += [full.eq(1), self.o.payload.eq(self.i.payload)]
        if self._fault == "does not hold":
            with m.If(self.i.valid):
                m.d.sync += self.o.payload.eq(self.i.payload)
        if self._fault == "ignores ready":
            m.d.comb += self.i.ready.eq(1)
        if self._fault == "drops one":
            with m.If(count == 40):
                m.d.sync += full.eq(0)
        if self._fault == "keeps state":
            kept = Signal(reset_less=True)
            m.d.sync += kept.eq(kept | full)
            with m.If(kept & ~full & (count == 0)):
                m.d.comb += self.o.valid.eq(1)
        return m


def run(fault: str, *, stall: float = 0.4, reset_at: tuple[int, ...] = ()) -> None:
    dut = Register(fault)
    bench = Bench(dut, seed=1)
    words = [7 * n % 251 for n in range(100)]
    bench.send(dut.i, words, stall=stall)
    bench.expect(dut.o, words, stall=stall)
    bench.run(timeout=2_000, reset_at=reset_at)


def test_good_register_passes() -> None:
    run("")
    run("", reset_at=(17, 60, 61))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("valid waits for ready", "valid depends on ready"),
        ("valid waits a cycle for ready", "withdrawn|deadlock|expected"),
        ("takes words that are not valid", "expected"),
        ("does not hold", "payload changed"),
        ("ignores ready", "withdrawn|payload changed|expected"),
        ("drops one", "withdrawn|expected"),
    ],
)
def test_faults_are_found(fault: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        run(fault)


def test_state_that_outlives_a_reset_is_found() -> None:
    run("keeps state")
    with pytest.raises(AssertionError, match="expected"):
        run("keeps state", reset_at=(30,))


def test_a_surplus_word_is_found() -> None:
    dut = Register()
    bench = Bench(dut)
    bench.send(dut.i, [1, 2, 3])
    bench.expect(dut.o, [1, 2])
    with pytest.raises(AssertionError, match="one word too many, 3"):
        bench.run()


def test_cycles_equal_those_of_the_transfers() -> None:
    dut = Register()
    bench = Bench(dut)
    sent = bench.send(dut.i, range(5))
    got = bench.expect(dut.o, range(5))
    assert bench.run() == 6
    assert sent.cycles == [0, 1, 2, 3, 4]
    assert got.offered == got.cycles == [1, 2, 3, 4, 5]


def test_join_and_split() -> None:
    assert join([1, -1, -8], 4) == 0x8F1
    assert split(0x8F1, 4, 3) == [1, -1, -8]
