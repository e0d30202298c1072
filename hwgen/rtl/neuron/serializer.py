"""A window's currents taken apart into membrane words."""

from amaranth import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.streams.loops import step_axes


class Serializer(wiring.Component):
    """Gives a window's ``lanes`` currents as words of ``membrane_lanes``, lowest channels first.

    The last window of a pixel gives only the words that hold a channel. There is no multiplexer:
    a part that is not taken is 0, and a word is the OR of all parts.

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.hardware_plan.LayerPlan`

    Members
    -------
    valid : ``In(1)``
        ``values`` holds a new window; it stays until its last word is taken.
    values : ``In(data.ArrayLayout(signed(plan.current_width), plan.lanes))``
    ready : ``In(1)``
        A word may be taken.
    take : ``Out(1)``
        A word is taken.
    final : ``Out(1)``
        With ``take``: it is the window's last one.
    word : ``Out(data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes))``
        Two cycles after ``take``; 0 where there was none.
    """

    def __init__(self, plan):
        self._plan = plan
        width = signed(plan.current_width)
        super().__init__(
            {
                "valid": In(1),
                "values": In(data.ArrayLayout(width, plan.lanes)),
                "ready": In(1),
                "take": Out(1),
                "final": Out(1),
                "word": Out(data.ArrayLayout(width, plan.membrane_lanes)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        parts, lanes = plan.parts, plan.membrane_lanes
        waiting = Signal(parts)  # one-hot: the part that comes next, from the second cycle on
        some = Signal()  # of them
        turn = Signal(parts)
        m.d.comb += [
            turn.eq(waiting | self.valid),
            self.take.eq(self.ready & (some | self.valid)),
            self.final.eq(turn[-1]),
        ]
        m.d.sync += [waiting.eq(turn), some.eq(turn.any())]
        with m.If(self.ready):
            m.d.sync += [waiting.eq(turn << 1), some.eq(turn[:-1].any())]
        if short := plan.words % parts:
            window_end = Signal()
            group = step_axes(m, window_end, [("group", plan.rounds)])["group"]
            with m.If(group.last):
                m.d.comb += self.final.eq(turn[short - 1])
            m.d.comb += window_end.eq(self.take & self.final)
            with m.If(window_end):
                m.d.sync += [waiting.eq(0), some.eq(0)]

        # Synchronous resets blank the parts that are not taken: they cost no logic.
        blanked = [Signal.like(self.word, name=f"part_{n}", reset_less=True) for n in range(parts)]
        word = Signal.like(self.word, reset_less=True)
        m.d.comb += self.word.eq(word)
        for index, part in enumerate(blanked):
            first = index * lanes
            m.d.sync += [part[lane].eq(self.values[first + lane]) for lane in range(lanes)]
            with m.If(~(self.ready & turn[index])):
                m.d.sync += part.as_value().eq(0)
        for lane in range(lanes):
            either = blanked[0][lane]
            for part in blanked[1:]:
                either |= part[lane]
            m.d.sync += word[lane].eq(either)
        return m
