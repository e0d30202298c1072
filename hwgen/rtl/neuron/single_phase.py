"""The single-phase membrane unit: neurons that fire in the timestep that they integrate."""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.latencies import INTEGRATOR
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_constants import NeuronConstants
from hwgen.rtl.neuron.integrator import Integrator
from hwgen.rtl.neuron.layouts import membrane_layout
from hwgen.rtl.neuron.serializer import Serializer
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.credit_fifo import CreditFifo
from hwgen.rtl.streams.loops import step_axes
from hwgen.rtl.synapses.currents import currents_signature


class SinglePhaseUnit(wiring.Component):
    """Integrates the currents of a window as they arrive and sends one word per cycle: spikes, or
    for a spiking softmax the membranes (:class:`hwgen.rtl.neuron.integrator.Integrator`).

    Members
    -------
    currents : ``In(currents_signature(plan.current_width, plan.lanes))``
        Granted when the FIFO has slots for their words.
    words : ``Out(stream.Signature(...))``
        Words of ``membrane_lanes`` spikes, or as many membranes.
    """

    plan = Parameter(LayerPlan)
    constants = Parameter(NeuronConstants)

    def __init__(self, *, plan: LayerPlan, constants: NeuronConstants) -> None:
        self.plan, self.constants = plan, constants
        self._word = membrane_layout(plan) if plan.gives_logits else unsigned(plan.membrane_lanes)
        members = {
            "currents": In(currents_signature(plan.current_width, plan.lanes)),
            "words": Out(stream.Signature(self._word)),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        m.submodules.integrator = integrator = Integrator(
            plan=plan, constants=self.constants, width=plan.current_width
        )
        m.submodules.serializer = serializer = Serializer(plan=plan)
        m.submodules.fifo = fifo = CreditFifo(shape=self._word)
        wiring.connect(m, fifo.words, wiring.flipped(self.words))

        # Issue the next word in the order of the stream.
        go = Signal()
        axes = step_axes(m, go, [("address", plan.membrane_depth), ("step", plan.timesteps_in)])
        word = step_axes(m, go, [("word", plan.words)])["word"].count
        m.d.comb += [
            serializer.valid.eq(self.currents.valid),
            serializer.values.eq(self.currents.values),
            go.eq(serializer.take),
            integrator.issue.eq(go),
            integrator.address.eq(axes["address"].count),
            integrator.word.eq(word),
            integrator.first.eq(axes["step"].count == 0),
            integrator.currents.eq(serializer.word),
            fifo.push.eq(integrator.fired),
            fifo.push_data.eq(integrator.membranes if plan.gives_logits else integrator.spikes),
        ]
        if plan.membrane_depth < INTEGRATOR:
            self._grant_one_at_a_time(m, serializer, fifo)
        else:
            self._grant_ahead(m, serializer, fifo)
        return m

    def _grant_ahead(self, m: Module, serializer: Serializer, fifo: CreditFifo) -> None:
        """Reserve one slot per cycle for the words of a window from its start on.

        The next window is granted with the last of these slots, so that its currents arrive after
        all of these words. Several windows are then in flight, and none waits long after a grant.
        """
        plan = self.plan
        # Slots that the newest window still needs, and slots of words that are not taken yet.
        to_reserve = Signal(range(plan.words_per_round + 1))
        reserved = Signal(range(fifo.depth + 1))
        words = plan.words_per_round
        if short := plan.words % plan.words_per_round:
            group = step_axes(m, self.currents.start, [("start_group", plan.rounds)])["start_group"]
            words = Mux(group.last, short, words)
        m.d.comb += [
            fifo.reserve.eq((to_reserve != 0) & fifo.credit),
            self.currents.grant.eq((to_reserve == 0) | ((to_reserve == 1) & fifo.credit)),
            serializer.ready.eq(reserved != 0),
        ]
        with m.If(fifo.reserve):
            m.d.sync += to_reserve.eq(to_reserve - 1)
        with m.If(self.currents.start):
            m.d.sync += to_reserve.eq(words)
        with m.If(fifo.reserve & ~serializer.take):
            m.d.sync += reserved.eq(reserved + 1)
        with m.Elif(~fifo.reserve & serializer.take):
            m.d.sync += reserved.eq(reserved - 1)

    def _grant_one_at_a_time(self, m: Module, serializer: Serializer, fifo: CreditFifo) -> None:
        """For a memory so small that a word repeats before it is written: one word in flight, and
        a window only after the words of the previous one are taken."""
        recent = Signal(INTEGRATOR - 1)
        in_flight = Signal()
        m.d.sync += recent.eq(recent << 1 | serializer.take)
        m.d.comb += [
            serializer.ready.eq(fifo.credit & (recent == 0)),
            fifo.reserve.eq(serializer.take),
            self.currents.grant.eq(~in_flight),
        ]
        with m.If(serializer.take & serializer.final):
            m.d.sync += in_flight.eq(0)
        with m.If(self.currents.start):
            m.d.sync += in_flight.eq(1)
