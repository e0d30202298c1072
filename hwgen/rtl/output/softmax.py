"""The softmax unit: turns the membranes of every timestep into counts of random spikes."""

import numpy as np
from amaranth import Module, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.softmax import SoftmaxPlan
from hwgen.rtl.output.softmax_draws import SoftmaxDraws
from hwgen.rtl.output.softmax_terms import SoftmaxTerms, require_entries
from hwgen.rtl.parameters import Parameter


def count_layout(plan: SoftmaxPlan) -> data.ArrayLayout:
    """A word of spike counts: that of one class."""
    return data.ArrayLayout(unsigned(plan.count_width), 1)


class SoftmaxUnit(wiring.Component):
    """Draws spikes of the classes by the softmax of their membranes and counts them over a sample
    (:class:`hwgen.network.SoftmaxReadout`).

    The terms of one timestep are looked up while those of the previous one are compared; a
    comparison takes :data:`hwgen.plan.units.softmax.STAGE_BITS` cycles per class. The input stalls
    while both banks of terms are in use.

    Members
    -------
    membranes : ``In(stream.Signature(word_layout))``
        Membranes of each timestep, in the order of the classes.
    counts : ``Out(stream.Signature(count_layout(plan)))``
        Counts of each sample, in the order of the classes.
    """

    plan = Parameter(SoftmaxPlan)
    word_layout = Parameter(data.ArrayLayout)
    """A word of membranes; those past the last class are dropped."""
    table = Parameter(np.ndarray)
    """Softmax term for each distance from the maximum; shape (entries,)."""

    def __init__(
        self, *, plan: SoftmaxPlan, word_layout: data.ArrayLayout, table: np.ndarray
    ) -> None:
        self.plan = plan
        self.word_layout = word_layout
        self.table = table
        require_entries(plan, table)
        members = {
            "membranes": In(stream.Signature(word_layout)),
            "counts": Out(stream.Signature(count_layout(plan))),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.terms = terms = SoftmaxTerms(
            plan=self.plan, word_layout=self.word_layout, table=self.table
        )
        m.submodules.draws = draws = SoftmaxDraws(plan=self.plan)
        wiring.connect(m, wiring.flipped(self.membranes), terms.membranes)
        wiring.connect(m, terms.terms, draws.terms)
        m.d.comb += [
            self.counts.payload[0].eq(draws.counts.payload),
            self.counts.valid.eq(draws.counts.valid),
            draws.counts.ready.eq(self.counts.ready),
        ]
        return m
