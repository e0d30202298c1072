"""Source of currents for a membrane unit: windows arrive a fixed time after their grant."""

from __future__ import annotations

from amaranth import Cat, Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.synapses.currents import currents_signature


class CurrentsSource(wiring.Component):
    """Replaces the synapse array: each word of ``words`` holds the currents of one window.

    It sends at most one window in ``every`` cycles, ``latency`` ≥ 2 cycles after its grant.
    """

    def __init__(self, width: int, lanes: int, latency: int, every: int) -> None:
        self._latency, self._every = latency, every
        layout = data.ArrayLayout(signed(width), lanes)
        super().__init__(
            {
                "words": In(stream.Signature(layout)),
                "currents": Out(currents_signature(width, lanes)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        words, currents = self.words, self.currents
        beat = Signal(range(self._every))
        turn = Signal()
        m.d.sync += beat.eq(beat + 1)
        with m.If(beat == self._every - 1):
            m.d.sync += beat.eq(0)
        m.d.comb += [
            turn.eq(currents.grant & (beat == 0)),
            words.ready.eq(turn),
            currents.start.eq(words.valid & turn),
        ]
        # The position tag follows its window by one cycle.
        width = len(Cat(words.payload, currents.tag_in))
        taken = Signal.like(words.payload)
        m.d.sync += taken.eq(words.payload)
        stages = [words.payload, Cat(taken, currents.tag_in)]
        valid = Signal(self._latency)
        m.d.sync += valid.eq(valid << 1 | currents.start)
        for index in range(1, self._latency):
            stages.append(Signal(width, name=f"stage_{index}"))
            if index < self._latency - 1:
                m.d.sync += stages[-1].eq(stages[-2])
            else:
                with m.If(valid[index - 1]):
                    m.d.sync += stages[-1].eq(stages[-2])
        m.d.comb += [
            currents.valid.eq(valid[-1]),
            Cat(currents.values, currents.tag_out).eq(stages[-1]),
        ]
        return m


class Driven(wiring.Component):
    """A membrane unit with a :class:`CurrentsSource`: ``currents`` in, ``words`` out."""

    def __init__(self, unit, plan, *, latency: int = 4, every: int = 1) -> None:
        self.unit = unit
        self.source = CurrentsSource(plan.current_width, plan.lanes, latency, every)
        members = self.source.signature.members, unit.signature.members
        super().__init__({"currents": members[0]["words"], "words": members[1]["words"]})

    def elaborate(self, platform):
        m = Module()
        m.submodules.source = source = self.source
        m.submodules.unit = unit = self.unit
        wiring.connect(m, wiring.flipped(self.currents), source.words)
        wiring.connect(m, source.currents, unit.currents)
        wiring.connect(m, unit.words, wiring.flipped(self.words))
        return m
