"""The result unit: turns logits into a packet that ends with the class."""

from amaranth import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.parameters import Parameter


class ResultUnit(wiring.Component):
    """Sends each logit as it arrives and then the class: the lowest index of the maximum logit.

    The class of a single logit is 1 if it is positive, and 0 otherwise.

    Members
    -------
    logits : ``In(stream.Signature(word_layout))``
    results : ``Out(stream.Signature(data.StructLayout({"data": signed(width), "last": 1})))``
    """

    classes = Parameter.positive()
    """Logits of a sample."""
    word_layout = Parameter(data.ArrayLayout)
    """A word of logits; those past the last class are dropped."""
    width = Parameter.positive()
    """Bits of a result."""

    def __init__(self, *, classes: int, word_layout: data.ArrayLayout, width: int) -> None:
        self.classes = classes
        self.word_layout = word_layout
        self.width = width
        members = {
            "logits": In(stream.Signature(word_layout)),
            "results": Out(stream.Signature(data.StructLayout({"data": signed(width), "last": 1}))),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.word_layout.length
        shape = self.word_layout.elem_shape

        # Take the logits of a word one at a time.
        lane = Signal(range(lanes))
        taken = Signal(range(self.classes))
        logit, index = Signal(shape), Signal(range(self.classes))
        pending = Signal()
        final = Signal()
        take = Signal()
        sent = Signal()
        m.d.comb += [
            final.eq(taken == self.classes - 1),
            take.eq(self.logits.valid & (~pending | sent)),
            self.logits.ready.eq((~pending | sent) & (final | (lane == lanes - 1))),
        ]
        with m.If(sent):
            m.d.sync += pending.eq(0)
        with m.If(take):
            m.d.sync += [pending.eq(1), index.eq(taken), lane.eq(lane + 1), taken.eq(taken + 1)]
            with m.If(lane == lanes - 1):
                m.d.sync += lane.eq(0)
            with m.If(final):
                m.d.sync += [lane.eq(0), taken.eq(0)]
            with m.Switch(lane):
                for n in range(lanes):
                    with m.Case(n):
                        m.d.sync += logit.eq(self.logits.payload[n])

        # Send each logit, keep the maximum, and end with its index.
        best = Signal(shape)
        best_index = Signal.like(index)
        winner = best_index if self.classes > 1 else best > 0
        closing = Signal()
        free = Signal()
        m.d.comb += [
            free.eq(~self.results.valid | self.results.ready),
            sent.eq(pending & free & ~closing),
        ]
        with m.If(free):
            m.d.sync += self.results.valid.eq(sent | closing)
        with m.If(sent):
            m.d.sync += [
                self.results.payload.data.eq(logit),
                self.results.payload.last.eq(0),
                closing.eq(index == self.classes - 1),
            ]
            with m.If((index == 0) | (logit > best)):
                m.d.sync += [best.eq(logit), best_index.eq(index)]
        with m.If(closing & free):
            m.d.sync += [
                self.results.payload.data.eq(winner),
                self.results.payload.last.eq(1),
                closing.eq(0),
            ]
        return m
