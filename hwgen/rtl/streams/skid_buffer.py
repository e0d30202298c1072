"""Two places on the way of a stream."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class SkidBuffer(wiring.Component):
    """Gives each word on a cycle later; registers part its two sides in both directions.

    Units that lie far apart then have a cycle for the way between them.

    Parameters
    ----------
    shape : shape-like
        Of a word.

    Members
    -------
    words : ``In(stream.Signature(shape))``
        Ready while fewer than two words wait here.
    buffered : ``Out(stream.Signature(shape))``
    """

    def __init__(self, shape):
        self._shape = shape
        super().__init__(
            {"words": In(stream.Signature(shape)), "buffered": Out(stream.Signature(shape))}
        )

    def elaborate(self, platform):
        m = Module()
        full = Signal()  # the second place holds a word
        second = Signal(self._shape, reset_less=True)
        m.d.comb += self.words.ready.eq(~full)
        with m.If(~self.buffered.valid | self.buffered.ready):
            m.d.sync += [
                self.buffered.valid.eq(full | self.words.valid),
                self.buffered.payload.eq(Mux(full, second, self.words.payload)),
                full.eq(0),
            ]
        with m.Elif(self.words.valid):
            m.d.sync += full.eq(1)
        with m.If(~full):
            m.d.sync += second.eq(self.words.payload)
        return m
