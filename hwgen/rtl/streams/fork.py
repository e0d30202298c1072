"""A stream on its way to the units that take it."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.streams.skid_buffer import SkidBuffer


class StreamFork(wiring.Component):
    """Gives every word to all of its takers, through a :class:`SkidBuffer` to each.

    The next word comes once the relays of all takers have this one.

    Parameters
    ----------
    shape : shape-like
        Of a word.
    takers : :class:`int`

    Members
    -------
    words : ``In(stream.Signature(shape))``
    copies : ``Out(stream.Signature(shape)).array(takers)``
    """

    def __init__(self, *, shape, takers):
        self._shape = shape
        self._takers = takers
        super().__init__(
            {
                "words": In(stream.Signature(shape)),
                "copies": Out(stream.Signature(shape)).array(takers),
            }
        )

    def elaborate(self, platform):
        m = Module()
        served = Signal(self._takers)  # relays that have the word while others have not
        has = Signal(self._takers)
        m.d.comb += self.words.ready.eq(has.all())
        for index, copy in enumerate(self.copies):
            m.submodules[f"relay_{index}"] = relay = SkidBuffer(self._shape)
            m.d.comb += [
                relay.words.payload.eq(self.words.payload),
                relay.words.valid.eq(self.words.valid & ~served[index]),
                has[index].eq(served[index] | relay.words.ready),
            ]
            wiring.connect(m, relay.buffered, wiring.flipped(copy))
        with m.If(self.words.valid):
            m.d.sync += served.eq(has)
        with m.If(has.all()):
            m.d.sync += served.eq(0)
        return m
