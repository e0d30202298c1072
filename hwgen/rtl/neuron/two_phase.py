"""The two-phase membrane unit: accumulates the currents of a pass, then fires its spikes."""

from abc import abstractmethod
from math import ceil

from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_constants import NeuronConstants
from hwgen.rtl.neuron.layouts import membrane_layout
from hwgen.rtl.neuron.serializer import Serializer
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.credit_fifo import CreditFifo
from hwgen.rtl.streams.delays import delay, within
from hwgen.rtl.streams.loops import step_axes
from hwgen.rtl.synapses.currents import currents_signature


class TwoPhaseUnit(wiring.Component):
    """Phase I (accumulate) and Phase II (fire) of two-phase neurons; a readout sends its logits.

    Subclasses choose the pipeline and connect what firing needs (:mod:`hwgen.rtl.neuron.units`).

    With one bank of membranes the unit accumulates a pass and then fires it; with two it fires a
    pass while it accumulates the next one. Both phases share one pipeline: accumulation cannot
    stall and has priority; firing takes the remaining cycles. Each phase visits the membranes in
    the order of the stream.

    Members
    -------
    currents : ``In(currents_signature(plan.current_width, plan.lanes))``
    words : ``Out(stream.Signature(...))``
        Words of ``membrane_lanes`` spikes, or as many logits.
    """

    plan = Parameter(LayerPlan)
    constants = Parameter(NeuronConstants)

    def __init__(self, *, plan: LayerPlan, constants: NeuronConstants) -> None:
        self.plan, self.constants = plan, constants
        self._latency = plan.membrane_latency
        word = membrane_layout(plan) if plan.gives_logits else unsigned(plan.membrane_lanes)
        self._word = word
        members = {
            "currents": In(currents_signature(plan.current_width, plan.lanes)),
            "words": Out(stream.Signature(word)),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        m.submodules.pipeline = pipeline = self._make_pipeline()
        m.submodules.serializer = serializer = Serializer(plan=plan)
        m.submodules.fifo = fifo = CreditFifo(shape=self._word)
        full = Signal(plan.banks)  # all windows of a pass are granted
        complete = Signal(plan.banks)  # holds a whole pass, which may fire
        pass_written = Signal()
        fire_bank = Signal(range(plan.banks))
        fire_end = Signal()

        self._grant(m, full)
        with m.If(fire_end):
            m.d.sync += [
                complete.bit_select(fire_bank, 1).eq(0),
                full.bit_select(fire_bank, 1).eq(0),
            ]

        # Phase I: the words of a window as they arrive.
        acc_bank = Signal(range(plan.banks))
        acc_address = Signal(range(plan.membrane_depth))
        complete_bank = Signal(range(plan.banks))
        tag = self.currents.tag_out
        m.d.comb += [
            serializer.valid.eq(self.currents.valid),
            serializer.values.eq(self.currents.values),
            serializer.ready.eq(1),
            pipeline.currents.eq(serializer.word),
        ]
        pass_done = Signal()
        m.d.comb += pass_done.eq(serializer.take & serializer.final & tag.pass_end)
        with m.If(serializer.take):
            m.d.sync += acc_address.eq(acc_address + 1)
            with m.If(serializer.final & tag.plane_end):
                m.d.sync += acc_address.eq(0)
        with m.If(pass_done):
            m.d.sync += acc_bank.eq(acc_bank + 1)
        # The first word that fires must read the result of its last accumulation step.
        m.d.comb += pass_written.eq(delay(m, pass_done, self._latency - plan.membrane_depth))
        with m.If(pass_written):
            m.d.sync += [
                complete.bit_select(complete_bank, 1).eq(1),
                complete_bank.eq(complete_bank + 1),
            ]

        # Phase II.
        fire = Signal()
        axes = step_axes(
            m, fire, [("fire_address", plan.membrane_depth), ("fire_step", plan.timesteps_out)]
        )
        fire_address, fire_step = axes["fire_address"].count, axes["fire_step"].count
        fire_word = step_axes(m, fire, [("fire_word", plan.words)])["fire_word"].count
        # With few words, each must be written before it is issued again.
        too_soon = Signal()
        m.d.comb += [
            too_soon.eq(within(m, fire, ceil(self._latency / plan.membrane_depth) - 1)),
            fire.eq(complete.bit_select(fire_bank, 1) & fifo.credit & ~serializer.take & ~too_soon),
            fire_end.eq(axes["fire_step"].end),
            fifo.reserve.eq(fire),
        ]
        with m.If(fire_end):
            m.d.sync += fire_bank.eq(fire_bank + 1)

        m.d.comb += [
            pipeline.issue.fire.eq(fire),
            pipeline.issue.valid.eq(serializer.take | fire),
            pipeline.issue.first.eq(Mux(serializer.take, tag.first, fire_step == 0)),
            pipeline.issue.address.eq(
                Mux(serializer.take, Cat(acc_bank, acc_address), Cat(fire_bank, fire_address))
            ),
        ]

        m.d.comb += fifo.push.eq(pipeline.fired)
        wiring.connect(m, fifo.words, wiring.flipped(self.words))
        self._connect_firing(m, pipeline, fire_word, fire_step, fifo.push_data)
        return m

    @abstractmethod
    def _make_pipeline(self) -> wiring.Component:
        """The pipeline, with ``issue``, ``currents`` and ``fired`` as a membrane pipeline."""

    @abstractmethod
    def _connect_firing(
        self, m: Module, pipeline: wiring.Component, word: Value, step: Value, output: Value
    ) -> None:
        """Connect the constants of Phase II, and the spikes or logits to ``output``.

        ``word`` is the index in its pixel of the word that is issued, ``step`` its timestep.
        """

    def _grant(self, m: Module, full: Value) -> None:
        """Grant windows, far enough apart, while their bank is free.

        The start of a window depends on all scanners and is known late in its cycle, so the
        counters see it one cycle later. After a pass no window is granted for one cycle.
        """
        plan = self.plan
        currents = self.currents
        windows = plan.positions * plan.rounds  # per timestep
        # The words of a window take one cycle each; with a small memory, each must also be written
        # before it is issued again.
        distance = max(plan.words_per_round, ceil(self._latency / windows))
        bank = Signal(range(plan.banks), name="grant_bank")
        started = Signal()
        m.d.sync += started.eq(currents.start)
        axes = step_axes(m, started, [("grant_window", windows), ("grant_step", plan.timesteps_in)])
        window, step = axes["grant_window"], axes["grant_step"]
        too_soon = within(m, currents.start, distance - 1)
        m.d.comb += [
            currents.grant.eq(~full.bit_select(bank, 1) & ~too_soon & ~step.end),
            currents.tag_in.first.eq(step.count == 0),
            currents.tag_in.plane_end.eq(window.last),
            currents.tag_in.pass_end.eq(window.last & step.last),
        ]
        with m.If(step.end):
            m.d.sync += [full.bit_select(bank, 1).eq(1), bank.eq(bank + 1)]
