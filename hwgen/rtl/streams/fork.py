"""A fork: one stream to several consumers."""

from amaranth import Module, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.skid_buffer import SkidBuffer


class StreamFork(wiring.Component):
    """Copies every word to all consumers, through a :class:`SkidBuffer` for each.

    The next word is taken once every skid buffer has the current one.

    Members
    -------
    words : ``In(stream.Signature(shape))``
    copies : ``Out(stream.Signature(shape)).array(consumers)``
    """

    shape = Parameter.shape()
    """Shape of a word."""
    consumers = Parameter.positive()

    def __init__(self, *, shape: ShapeLike, consumers: int) -> None:
        self.shape, self.consumers = shape, consumers
        members = {
            "words": In(stream.Signature(shape)),
            "copies": Out(stream.Signature(shape)).array(consumers),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        served = Signal(self.consumers)  # buffers that have the word while others do not
        has_word = Signal(self.consumers)
        m.d.comb += self.words.ready.eq(has_word.all())
        for index, copy in enumerate(self.copies):
            m.submodules[f"buffer_{index}"] = buffer = SkidBuffer(shape=self.shape)
            m.d.comb += [
                buffer.words.payload.eq(self.words.payload),
                buffer.words.valid.eq(self.words.valid & ~served[index]),
                has_word[index].eq(served[index] | buffer.words.ready),
            ]
            wiring.connect(m, buffer.buffered, wiring.flipped(copy))
        with m.If(self.words.valid):
            m.d.sync += served.eq(has_word)
        with m.If(has_word.all()):
            m.d.sync += served.eq(0)
        return m
