"""The serializer splits windows of currents into membrane words."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.network import Input, Readout
from hwgen.rtl.neuron.serializer import Serializer
from tests.support.rtl.bench import Bench
from tests.support.rtl.layers import make_layer, plan_one
from tests.support.rtl.streams import STALLS
from tests.support.rtl.words import groups_of, pixel_words


def make(fan_out: int, lanes: int, membrane_lanes: int):
    layer = make_layer(np.full((fan_out, 1), -100), Readout())
    source = Input(shape=(1, 1, 1), timesteps=2)
    plan, _ = plan_one(layer, source, lanes=lanes, membrane_lanes=membrane_lanes)
    assert (plan.lanes, plan.membrane_lanes) == (lanes, membrane_lanes)
    return Serializer(plan=plan), plan


class Windows(wiring.Component):
    """Windows in, membrane words out; a window follows when the previous one has been taken."""

    def __init__(self, serializer: Serializer, plan) -> None:
        self.serializer = serializer
        self._width = plan.current_width * plan.lanes
        self._word = plan.current_width * plan.membrane_lanes
        super().__init__(
            {
                "windows": In(stream.Signature(self._width)),
                "ready": In(1),
                "word": Out(self._word),
                "valid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.serializer = serializer = self.serializer
        window = Signal(self._width)
        busy, took = Signal(), Signal(2)
        done = serializer.take & serializer.final
        m.d.comb += [
            self.windows.ready.eq(~busy | done),
            serializer.values.eq(window),
            serializer.ready.eq(self.ready),
            self.word.eq(serializer.word),
            self.valid.eq(took[1]),
        ]
        start = self.windows.valid & self.windows.ready
        m.d.sync += [took.eq(took << 1 | serializer.take), serializer.valid.eq(start)]
        with m.If(done):
            m.d.sync += busy.eq(0)
        with m.If(start):
            m.d.sync += [window.eq(self.windows.payload), busy.eq(1)]
        return m


def run(fan_out: int, lanes: int, membrane_lanes: int, *, stall=(0.0, 0.0), reset_at=(), pixels=20):
    serializer, plan = make(fan_out, lanes, membrane_lanes)
    dut = Windows(serializer, plan)
    width = plan.current_width
    currents = np.random.default_rng(fan_out).integers(-100, 1, (pixels, 1, fan_out))
    bench = Bench(dut, seed=fan_out)
    windows = pixel_words(currents, groups_of(fan_out, lanes), width)
    sent = bench.send(dut.windows, windows, stall=stall[0])
    allowed = bench.send(
        SimpleNamespace(payload=Signal(0), valid=dut.ready, ready=serializer.take),
        [0] * len(words := pixel_words(currents, groups_of(fan_out, membrane_lanes), width)),
        stall=stall[1],
    )
    ports = SimpleNamespace(payload=dut.word, valid=dut.valid, ready=dut.valid)
    got = bench.expect(ports, words, observe=True)
    idle = bench.watch(~dut.valid & (dut.word != 0))
    bench.run(reset_at=reset_at)
    # Words in flight at a reset still pass.
    passing = {cycle + n for cycle in reset_at for n in (1, 2)}
    assert not any(value for cycle, value in enumerate(idle) if cycle not in passing)
    return sent, allowed, got


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(
    ("fan_out", "lanes", "membrane_lanes"),
    [(1, 1, 1), (4, 4, 4), (4, 4, 1), (5, 4, 2), (6, 4, 2), (7, 6, 3), (13, 6, 2), (8, 2, 1)],
)
def test_words_of_windows(
    fan_out: int, lanes: int, membrane_lanes: int, stall: tuple[float, float]
) -> None:
    """The output is 0 in cycles without a word."""
    run(fan_out, lanes, membrane_lanes, stall=stall, reset_at=(13,))


def test_one_word_per_cycle_two_cycles_after_it_is_taken() -> None:
    sent, allowed, got = run(5, 4, 2, pixels=3)  # windows of two words and of one
    assert sent.cycles == [0, 2, 3, 5, 6, 8]
    assert allowed.cycles == list(range(1, 10))
    assert got.cycles == list(range(3, 12))
