"""The single-phase membrane unit: a neuron that fires in the step it integrates."""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.neuron.integrator import LATENCY, Integrator
from hwgen.rtl.neuron.membrane import membrane_layout
from hwgen.rtl.neuron.serializer import Serializer
from hwgen.rtl.streams.credit_fifo import CreditFifo
from hwgen.rtl.streams.loops import step_axes
from hwgen.rtl.synapses.array import currents_signature


class SinglePhaseUnit(wiring.Component):
    """Integrates a window's currents as they come and sends the spikes, or for a spiking softmax
    the membranes of each step: one word a cycle (:class:`hwgen.rtl.neuron.integrator.Integrator`).

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.hardware_plan.LayerPlan`
    layer : :class:`hwgen.network.Layer`

    Members
    -------
    currents : ``In(currents_signature(plan.current_width, plan.lanes))``
        Granted as the FIFO has room for their words.
    words : ``Out(stream.Signature(...))``
        Spike words of ``membrane_lanes`` bits, or as many membranes.
    """

    def __init__(self, plan, layer):
        self._plan = plan
        self._layer = layer
        self._word = membrane_layout(plan) if plan.gives_logits else unsigned(plan.membrane_lanes)
        super().__init__(
            {
                "currents": In(currents_signature(plan.current_width, plan.lanes)),
                "words": Out(stream.Signature(self._word)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        m.submodules.integrator = integrator = Integrator(
            plan, self._layer, width=plan.current_width
        )
        m.submodules.parts = parts = Serializer(plan)
        m.submodules.fifo = fifo = CreditFifo(shape=self._word)
        wiring.connect(m, fifo.words, wiring.flipped(self.words))

        # Issue: the next word in the order of the stream.
        go = Signal()
        axes = step_axes(m, go, [("address", plan.membrane_depth), ("step", plan.timesteps_in)])
        word = step_axes(m, go, [("word", plan.words)])["word"].count
        m.d.comb += [
            parts.valid.eq(self.currents.valid),
            parts.values.eq(self.currents.values),
            go.eq(parts.take),
            integrator.issue.eq(go),
            integrator.address.eq(axes["address"].count),
            integrator.word.eq(word),
            integrator.first.eq(axes["step"].count == 0),
            integrator.currents.eq(parts.word),
            fifo.push.eq(integrator.fired),
            fifo.push_data.eq(integrator.left if plan.gives_logits else integrator.spikes),
        ]
        if plan.membrane_depth < LATENCY:
            self._grant_in_turn(m, parts, fifo)
        else:
            self._grant_ahead(m, parts, fifo)
        return m

    def _grant_ahead(self, m, parts, fifo):
        """Places are promised to a window's words from its start on, one a cycle, and the next
        window is granted with the last of them: its currents come after all of these words.

        So nothing behind a grant ever waits for long, and several windows are under way.
        """
        plan = self._plan
        left = Signal(range(plan.parts + 1))  # places to promise to the window started last
        ahead = Signal(range(fifo.depth + 1))  # places promised to words that are not taken yet
        words = plan.parts
        if short := plan.words % plan.parts:
            group = step_axes(m, self.currents.start, [("start_group", plan.rounds)])["start_group"]
            words = Mux(group.last, short, words)
        m.d.comb += [
            fifo.reserve.eq((left != 0) & fifo.credit),
            self.currents.grant.eq((left == 0) | ((left == 1) & fifo.credit)),
            parts.ready.eq(ahead != 0),
        ]
        with m.If(fifo.reserve):
            m.d.sync += left.eq(left - 1)
        with m.If(self.currents.start):
            m.d.sync += left.eq(words)
        with m.If(fifo.reserve & ~parts.take):
            m.d.sync += ahead.eq(ahead + 1)
        with m.Elif(~fifo.reserve & parts.take):
            m.d.sync += ahead.eq(ahead - 1)

    def _grant_in_turn(self, m, parts, fifo):
        """A memory so small that a word comes round before it is written takes one step at a time,
        and a window when the words of the one before are taken."""
        under_way = Signal(LATENCY - 1)
        in_flight = Signal()
        m.d.sync += under_way.eq(under_way << 1 | parts.take)
        m.d.comb += [
            parts.ready.eq(fifo.credit & (under_way == 0)),
            fifo.reserve.eq(parts.take),
            self.currents.grant.eq(~in_flight),
        ]
        with m.If(parts.take & parts.final):
            m.d.sync += in_flight.eq(0)
        with m.If(self.currents.start):
            m.d.sync += in_flight.eq(1)
