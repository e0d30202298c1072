"""The serializer: splits the currents of a window into membrane words."""

from amaranth import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.layer import LayerPlan
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.loops import step_axes


class Serializer(wiring.Component):
    """Sends a window's ``lanes`` currents as words of ``membrane_lanes``, lowest channels first.

    The last window of a pixel yields only the words that hold a channel. There is no multiplexer:
    words that are not selected are 0, and the output is the OR of all of them.

    Members
    -------
    valid : ``In(1)``
        First cycle of a window's ``values``, which are stable until its last word is taken.
    values : ``In(data.ArrayLayout(signed(plan.current_width), plan.lanes))``
    ready : ``In(1)``
        A word may be taken.
    take : ``Out(1)``
        A word is taken.
    final : ``Out(1)``
        The word is the last one of its window.
    word : ``Out(data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes))``
        Two cycles after ``take``; otherwise 0.
    """

    plan = Parameter(LayerPlan)

    def __init__(self, *, plan: LayerPlan) -> None:
        self.plan = plan
        width = signed(plan.current_width)
        members = {
            "valid": In(1),
            "values": In(data.ArrayLayout(width, plan.lanes)),
            "ready": In(1),
            "take": Out(1),
            "final": Out(1),
            "word": Out(data.ArrayLayout(width, plan.membrane_lanes)),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        words, lanes = plan.words_per_round, plan.membrane_lanes
        waiting = Signal(words)  # one-hot: the next word, from the second cycle of a window on
        any_waiting = Signal()
        turn = Signal(words)
        m.d.comb += [
            turn.eq(waiting | self.valid),
            self.take.eq(self.ready & (any_waiting | self.valid)),
            self.final.eq(turn[-1]),
        ]
        m.d.sync += [waiting.eq(turn), any_waiting.eq(turn.any())]
        with m.If(self.ready):
            m.d.sync += [waiting.eq(turn << 1), any_waiting.eq(turn[:-1].any())]
        if short := plan.words % words:
            window_end = Signal()
            group = step_axes(m, window_end, [("group", plan.rounds)])["group"]
            with m.If(group.last):
                m.d.comb += self.final.eq(turn[short - 1])
            m.d.comb += window_end.eq(self.take & self.final)
            with m.If(window_end):
                m.d.sync += [waiting.eq(0), any_waiting.eq(0)]

        # A synchronous reset clears the words that are not selected: it costs no logic.
        gated = [Signal.like(self.word, name=f"word_{n}", reset_less=True) for n in range(words)]
        word = Signal.like(self.word, reset_less=True)
        m.d.comb += self.word.eq(word)
        for index, gate in enumerate(gated):
            first = index * lanes
            m.d.sync += [gate[lane].eq(self.values[first + lane]) for lane in range(lanes)]
            with m.If(~(self.ready & turn[index])):
                m.d.sync += gate.as_value().eq(0)
        for lane in range(lanes):
            either = gated[0][lane]
            for gate in gated[1:]:
                either |= gate[lane]
            m.d.sync += word[lane].eq(either)
        return m
