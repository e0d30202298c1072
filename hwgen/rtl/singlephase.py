"""The single-phase membrane unit: a neuron that fires in the step it integrates."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.fifo import PromiseFifo
from hwgen.rtl.integrator import LATENCY, Integrator
from hwgen.rtl.membrane import membrane_layout
from hwgen.rtl.parts import CurrentParts
from hwgen.rtl.ring import step_axes
from hwgen.rtl.synapses import currents_signature


class SinglePhaseUnit(wiring.Component):
    """Integrates a window's currents as they come and sends the spikes, or for a spiking softmax
    the membranes of each step: one word a cycle (:class:`hwgen.rtl.integrator.Integrator`).

    Parameters
    ----------
    plan : :class:`hwgen.plan.hardware.LayerPlan`
    layer : :class:`hwgen.network.Layer`

    Members
    -------
    currents : ``In(currents_signature(plan.current_width, plan.lanes))``
        A window is granted once the words of the one before are taken.
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
        m.submodules.parts = parts = CurrentParts(plan)
        m.submodules.fifo = fifo = PromiseFifo(shape=self._word)
        wiring.connect(m, fifo.words, wiring.flipped(self.words))

        # Issue: the next word in the order of the stream.
        go = Signal()
        axes = step_axes(m, go, [("address", plan.membrane_depth), ("step", plan.timesteps_in)])
        word = step_axes(m, go, [("word", plan.words)])["word"].count
        # A memory so small that a word comes round before it is written takes one step at a time.
        free = 1
        if plan.membrane_depth < LATENCY:
            under_way = Signal(LATENCY - 1)
            m.d.sync += under_way.eq(under_way << 1 | go)
            free = under_way == 0
        in_flight = Signal()
        m.d.comb += [
            parts.valid.eq(self.currents.valid),
            parts.values.eq(self.currents.values),
            parts.ready.eq(fifo.free & free),
            go.eq(parts.take),
            fifo.promise.eq(go),
            self.currents.grant.eq(~in_flight),
            integrator.issue.eq(go),
            integrator.address.eq(axes["address"].count),
            integrator.word.eq(word),
            integrator.first.eq(axes["step"].count == 0),
            integrator.currents.eq(parts.word),
            fifo.push.eq(integrator.fired),
            fifo.push_data.eq(integrator.left if plan.gives_logits else integrator.spikes),
        ]
        with m.If(go & parts.final):
            m.d.sync += in_flight.eq(0)
        with m.If(self.currents.start):
            m.d.sync += in_flight.eq(1)
        return m
