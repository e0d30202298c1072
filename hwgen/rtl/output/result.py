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
        shape = self._word_layout.elem_shape

        # Take the logits of a word one by one.
        lane = Signal(range(lanes))
        taken = Signal(range(self._classes))
        logit, index = Signal(shape), Signal(range(self._classes))
        held = Signal()
        final = Signal()
        take = Signal()
        sent = Signal()
        m.d.comb += [
            final.eq(taken == self._classes - 1),
            take.eq(self.logits.valid & (~held | sent)),
            self.logits.ready.eq((~held | sent) & (final | (lane == lanes - 1))),
        ]
        with m.If(sent):
            m.d.sync += held.eq(0)
        with m.If(take):
            m.d.sync += [held.eq(1), index.eq(taken), lane.eq(lane + 1), taken.eq(taken + 1)]
            with m.If(lane == lanes - 1):
                m.d.sync += lane.eq(0)
            with m.If(final):
                m.d.sync += [lane.eq(0), taken.eq(0)]
            with m.Switch(lane):
                for n in range(lanes):
                    with m.Case(n):
                        m.d.sync += logit.eq(self.logits.payload[n])

        # Send each, keep the greatest, and close with its index.
        best = Signal(shape)
        best_index = Signal.like(index)
        closing = Signal()
        free = Signal()
        m.d.comb += [
            free.eq(~self.results.valid | self.results.ready),
            sent.eq(held & free & ~closing),
        ]
        with m.If(free):
            m.d.sync += self.results.valid.eq(sent | closing)
        with m.If(sent):
            m.d.sync += [
                self.results.payload.data.eq(logit),
                self.results.payload.last.eq(0),
                closing.eq(index == self._classes - 1),
            ]
            with m.If((index == 0) | (logit > best)):
                m.d.sync += [best.eq(logit), best_index.eq(index)]
        with m.If(closing & free):
            m.d.sync += [
                self.results.payload.data.eq(best_index),
                self.results.payload.last.eq(1),
                closing.eq(0),
            ]
        return m
