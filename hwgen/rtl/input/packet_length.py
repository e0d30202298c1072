"""Length of the input packets: where ``tlast`` belongs."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.loops import step_axes


class PacketLength(wiring.Component):
    """Compares ``tlast`` with the number of beats, which alone ends a packet.

    Members
    -------
    moved, last : ``In(1)``
        A beat is transferred; its ``tlast``.
    wrong : ``Out(1)``
        One cycle later: ``tlast`` came before the last beat, or not with it.
    """

    beats = Parameter.positive()
    """Beats of a packet."""

    def __init__(self, *, beats: int) -> None:
        self.beats = beats
        super().__init__({"moved": In(1), "last": In(1), "wrong": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Registered, so that nothing is added to the path of the stream.
        moved, last = Signal(), Signal()
        m.d.sync += [moved.eq(self.moved), last.eq(self.last)]
        at_end = step_axes(m, moved, [("beat", self.beats)])["beat"].last
        m.d.comb += self.wrong.eq(moved & (last ^ at_end))
        return m
