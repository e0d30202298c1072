"""The result unit: logits become a packet that ends with their arg-max."""

from amaranth import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out


class ResultUnit(wiring.Component):
    """Sends each logit as it comes and then the class: the lowest index of the greatest logit.

    Parameters
    ----------
    classes : :class:`int`
    word_layout : :class:`data.ArrayLayout`
        Of the logits that come together; those past the last class are left out.
    width : :class:`int`
        Bits of a result word.

    Members
    -------
    logits : ``In(stream.Signature(word_layout))``
    results : ``Out(stream.Signature(data.StructLayout({"data": signed(width), "last": 1})))``
    """

    def __init__(self, *, classes, word_layout, width):
        self._classes = classes
        self._word_layout = word_layout
        self._width = width
        super().__init__(
            {
                "logits": In(stream.Signature(word_layout)),
                "results": Out(
                    stream.Signature(data.StructLayout({"data": signed(width), "last": 1}))
                ),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes = self._word_layout.length
        lane = Signal(range(lanes))
        index = Signal(range(self._classes))
        best = Signal(self._word_layout.elem_shape)
        best_index = Signal.like(index)
        closing = Signal()  # all logits are sent, the class is next
        logit = Signal(self._word_layout.elem_shape)
        free = Signal()
        take = Signal()
        final = Signal()
        m.d.comb += [
            free.eq(~self.results.valid | self.results.ready),
            final.eq(index == self._classes - 1),
            take.eq(self.logits.valid & free & ~closing),
            self.logits.ready.eq(free & ~closing & (final | (lane == lanes - 1))),
        ]
        for n in range(lanes):
            with m.If(lane == n):
                m.d.comb += logit.eq(self.logits.payload[n])
        with m.If(free):
            m.d.sync += self.results.valid.eq(0)
        with m.If(take):
            m.d.sync += [
                self.results.valid.eq(1),
                self.results.payload.data.eq(logit),
                self.results.payload.last.eq(0),
                lane.eq(lane + 1),
                index.eq(index + 1),
            ]
            with m.If((index == 0) | (logit > best)):
                m.d.sync += [best.eq(logit), best_index.eq(index)]
            with m.If(lane == lanes - 1):
                m.d.sync += lane.eq(0)
            with m.If(final):
                m.d.sync += [lane.eq(0), index.eq(0), closing.eq(1)]
        with m.If(closing & free):
            m.d.sync += [
                self.results.valid.eq(1),
                self.results.payload.data.eq(best_index),
                self.results.payload.last.eq(1),
                closing.eq(0),
            ]
        return m
