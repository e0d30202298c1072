"""A skid buffer: two registers that cut both directions of a stream."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.parameters import Parameter


class SkidBuffer(wiring.Component):
    """Passes each word on one cycle later; no path is combinational from one side to the other.

    Units that lie far apart then have a full cycle for the route between them.

    Members
    -------
    words : ``In(stream.Signature(shape))``
        Ready while the buffer holds fewer than two words.
    buffered : ``Out(stream.Signature(shape))``
    """

    shape = Parameter.shape()
    """Shape of a word."""

    def __init__(self, *, shape: ShapeLike) -> None:
        self.shape = shape
        super().__init__(
            {"words": In(stream.Signature(shape)), "buffered": Out(stream.Signature(shape))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        full = Signal()  # the second register holds a word
        second = Signal(self.shape, reset_less=True)
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
