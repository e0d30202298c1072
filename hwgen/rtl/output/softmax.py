"""The softmax unit: membranes of every timestep become counts of the spikes that they draw."""

from amaranth import Module, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.output.softmax_draws import SoftmaxDraws
from hwgen.rtl.output.softmax_terms import SoftmaxTerms


def count_layout(plan):
    """A word of the counts: one class's."""
    return data.ArrayLayout(unsigned(plan.count_width), 1)


class SoftmaxUnit(wiring.Component):
    """Spikes of classes by the softmax of their membranes, counted over the timesteps of a sample
    (:class:`hwgen.network.SoftmaxReadout`).

    The terms of one timestep are found while those before are compared; a class is compared in
    :data:`hwgen.plan.units.softmax.STAGE_BITS` cycles. Nothing is taken while there is no room for
    it.

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.softmax.SoftmaxPlan`
    word_layout : :class:`data.ArrayLayout`
        Of the membranes that come together; those past the last class are left out.
    table : integer array, shape (entries,)

    Members
    -------
    membranes : ``In(stream.Signature(word_layout))``
        Of each timestep, in the order of the classes.
    counts : ``Out(stream.Signature(count_layout(plan)))``
        Of each sample, in the order of the classes.
    """

    def __init__(self, *, plan, word_layout, table):
        self._plan = plan
        self._word_layout = word_layout
        self._table = table
        super().__init__(
            {
                "membranes": In(stream.Signature(word_layout)),
                "counts": Out(stream.Signature(count_layout(plan))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.terms = terms = SoftmaxTerms(
            plan=self._plan, word_layout=self._word_layout, table=self._table
        )
        m.submodules.draws = draws = SoftmaxDraws(self._plan)
        wiring.connect(m, wiring.flipped(self.membranes), terms.membranes)
        wiring.connect(m, terms.terms, draws.terms)
        m.d.comb += [
            self.counts.payload[0].eq(draws.counts.payload),
            self.counts.valid.eq(draws.counts.valid),
            draws.counts.ready.eq(self.counts.ready),
        ]
        return m
