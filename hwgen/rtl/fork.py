"""A stream that goes to several units."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class StreamFork(wiring.Component):
    """Gives every word to all of its takers; the next one comes once all of them have it.

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
        self._takers = takers
        super().__init__(
            {
                "words": In(stream.Signature(shape)),
                "copies": Out(stream.Signature(shape)).array(takers),
            }
        )

    def elaborate(self, platform):
        m = Module()
        served = Signal(self._takers)  # takers that have the word while others have not
        has = Signal(self._takers)
        m.d.comb += self.words.ready.eq(has.all())
        for index, copy in enumerate(self.copies):
            m.d.comb += [
                copy.payload.eq(self.words.payload),
                copy.valid.eq(self.words.valid & ~served[index]),
                has[index].eq(served[index] | copy.ready),
            ]
        with m.If(self.words.valid):
            m.d.sync += served.eq(has)
        with m.If(has.all()):
            m.d.sync += served.eq(0)
        return m
