"""A group of currents taken apart into membrane words."""

from amaranth import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out


class CurrentParts(wiring.Component):
    """Gives a group of ``lanes`` currents as words of ``membrane_lanes``, lowest channels first.

    The last group of a pixel gives only the words that hold a channel. A group is taken with its
    last word, so nothing is stored here.

    Parameters
    ----------
    plan : :class:`hwgen.plan.hardware.LayerPlan`

    Members
    -------
    currents : ``In(CurrentParts.signature(plan))``
    word : ``Out(stream.Signature(...))``
        An array of ``membrane_lanes`` currents.
    """

    @staticmethod
    def signature(plan):
        return stream.Signature(data.ArrayLayout(signed(plan.current_width), plan.lanes))

    def __init__(self, plan):
        self._plan = plan
        layout = data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes)
        super().__init__(
            {"currents": In(self.signature(plan)), "word": Out(stream.Signature(layout))}
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        part = Signal(range(plan.parts))
        word = Signal(range(plan.words))
        final = Signal()
        m.d.comb += [
            self.word.valid.eq(self.currents.valid),
            final.eq((part == plan.parts - 1) | (word == plan.words - 1)),
            self.currents.ready.eq(self.word.ready & final),
        ]
        if plan.parts == 1:
            m.d.comb += self.word.payload.eq(self.currents.payload)
        else:
            with m.Switch(part):
                for index in range(plan.parts):
                    first = index * plan.membrane_lanes
                    with m.Case(index):
                        m.d.comb += [
                            self.word.payload[lane].eq(self.currents.payload[first + lane])
                            for lane in range(plan.membrane_lanes)
                        ]
        with m.If(self.word.valid & self.word.ready):
            m.d.sync += [part.eq(part + 1), word.eq(word + 1)]
            with m.If(final):
                m.d.sync += part.eq(0)
            with m.If(word == plan.words - 1):
                m.d.sync += word.eq(0)
        return m
