"""The two-phase membrane unit: accumulates one pass's currents, fires its spikes."""

from math import ceil

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units import inverse_leak as fractional
from hwgen.plan.units import widths
from hwgen.rtl.neuron import inverse_leak as leaky
from hwgen.rtl.neuron.constant_current import ConstantCurrentPipeline
from hwgen.rtl.neuron.constants import constant_memory, read_row
from hwgen.rtl.neuron.inverse_leak import InverseLeakPipeline
from hwgen.rtl.neuron.membrane import MembranePipeline, latency, membrane_layout
from hwgen.rtl.neuron.serializer import Serializer
from hwgen.rtl.streams.credit_fifo import CreditFifo
from hwgen.rtl.streams.loops import step_axes
from hwgen.rtl.synapses.array import currents_signature


class TwoPhaseUnit(wiring.Component):
    """Phase I of the two-phase neuron, and its Phase II or, for a read-out, its logits.

    Where the input is direct, Phase I adds up a constant current, and Phase II is that of
    single-phase neurons which it drives
    (:class:`hwgen.rtl.neuron.constant_current.ConstantCurrentPipeline`).

    With one bank it accumulates a pass and then fires it; with two it fires a pass while it
    accumulates the next. Both phases share one pipeline: accumulation, which cannot wait, goes
    first, firing takes the cycles that are left. Each phase visits the membranes in the order of
    the stream.

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.hardware_plan.LayerPlan`
    layer : :class:`hwgen.network.Layer`
    given : :class:`hwgen.network.TrainType`
        What its sources give.

    Members
    -------
    currents : ``In(currents_signature(plan.current_width, plan.lanes))``
    words : ``Out(stream.Signature(...))``
        Spike words of ``membrane_lanes`` bits, or as many logits.
    """

    def __init__(self, plan, layer, given):
        self._plan = plan
        self._layer = layer
        self._given = given
        self._latency = leaky.LATENCY if plan.fractional else latency(plan)
        self._readout = plan.kind == "readout"
        word = membrane_layout(plan) if self._readout else unsigned(plan.membrane_lanes)
        self._word = word
        super().__init__(
            {
                "currents": In(currents_signature(plan.current_width, plan.lanes)),
                "words": Out(stream.Signature(word)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        if plan.kind == "held":
            pipeline = ConstantCurrentPipeline(plan, self._layer)
        else:
            pipeline = InverseLeakPipeline(plan) if plan.fractional else MembranePipeline(plan)
        m.submodules.pipeline = pipeline
        m.submodules.parts = parts = Serializer(plan)
        m.submodules.fifo = fifo = CreditFifo(shape=self._word)
        full = Signal(plan.banks)  # granted to a whole pass
        closed = Signal(plan.banks)  # holds a whole pass: may fire
        close = Signal()
        fire_bank = Signal(range(plan.banks))
        fire_end = Signal()

        self._grant(m, full)
        with m.If(fire_end):
            m.d.sync += [
                closed.bit_select(fire_bank, 1).eq(0),
                full.bit_select(fire_bank, 1).eq(0),
            ]

        # Phase I: the words of a window as they come.
        acc_bank = Signal(range(plan.banks))
        acc_address = Signal(range(plan.membrane_depth))
        close_bank = Signal(range(plan.banks))
        noted = self.currents.tag_out
        m.d.comb += [
            parts.valid.eq(self.currents.valid),
            parts.values.eq(self.currents.values),
            parts.ready.eq(1),
            pipeline.currents.eq(parts.word),
        ]
        pass_done = Signal()
        m.d.comb += pass_done.eq(parts.take & parts.final & noted.pass_end)
        with m.If(parts.take):
            m.d.sync += acc_address.eq(acc_address + 1)
            with m.If(parts.final & noted.plane_end):
                m.d.sync += acc_address.eq(0)
        with m.If(pass_done):
            m.d.sync += acc_bank.eq(acc_bank + 1)
        # The first word that fires must find what the last of its membranes' steps wrote.
        m.d.comb += close.eq(_delayed(m, pass_done, self._latency - plan.membrane_depth))
        with m.If(close):
            m.d.sync += [
                closed.bit_select(close_bank, 1).eq(1),
                close_bank.eq(close_bank + 1),
            ]

        # Phase II.
        fire = Signal()
        axes = step_axes(
            m, fire, [("fire_address", plan.membrane_depth), ("fire_step", plan.timesteps_out)]
        )
        fire_address, fire_step = axes["fire_address"].count, axes["fire_step"].count
        fire_word = step_axes(m, fire, [("fire_word", plan.words)])["fire_word"].count
        # A memory of few words: each is written before it comes round again.
        soon = Signal()
        m.d.comb += [
            soon.eq(_within(m, fire, ceil(self._latency / plan.membrane_depth) - 1)),
            fire.eq(closed.bit_select(fire_bank, 1) & fifo.credit & ~parts.take & ~soon),
            fire_end.eq(axes["fire_step"].end),
            fifo.reserve.eq(fire),
        ]
        with m.If(fire_end):
            m.d.sync += fire_bank.eq(fire_bank + 1)

        m.d.comb += [
            pipeline.issue.fire.eq(fire),
            pipeline.issue.valid.eq(parts.take | fire),
            pipeline.issue.first.eq(Mux(parts.take, noted.first, fire_step == 0)),
            pipeline.issue.address.eq(
                Mux(parts.take, Cat(acc_bank, acc_address), Cat(fire_bank, fire_address))
            ),
        ]

        m.d.comb += fifo.push.eq(pipeline.fired)
        wiring.connect(m, fifo.words, wiring.flipped(self.words))
        if plan.kind == "held":
            m.d.comb += [pipeline.word.eq(fire_word), fifo.push_data.eq(pipeline.spikes)]
        else:
            self._fire(m, pipeline, fire_word, fire_step, fifo)
        return m

    def _fire(self, m, pipeline, fire_word, fire_step, fifo):
        """What firing adds, and what comes of it."""
        plan = self._plan
        # A lane without a channel accumulates 0, and never fires from one below that. Later steps
        # leave it there: its few bits could run over.
        constants = widths.firing_constants(self._layer, self._given)
        m.submodules.constants = memory = constant_memory(
            constants, membrane_layout(plan), plan, unused=(-1, 0)
        )
        index = Signal(range(2 * plan.words))
        m.d.comb += [
            index.eq(fire_word << 1 | (fire_step != 0)),
        ]
        if plan.fractional:
            self._connect_leaky(m, pipeline, fifo, memory, index, fire_word)
            return
        m.d.comb += pipeline.constants.eq(read_row(m, memory, index))
        for lane in range(plan.membrane_lanes):
            membrane = pipeline.membranes[lane]
            if self._readout:
                m.d.comb += fifo.push_data[lane].eq(membrane >> int(plan.leak_in))
            else:
                m.d.comb += fifo.push_data[lane].eq(~membrane[-1] & ~pipeline.done[lane])

    def _connect_leaky(self, m, pipeline, fifo, memory, index, word):
        """What the pipeline of leaks k < 2 needs later than the other one, and gives."""
        plan = self._plan
        m.submodules.levels = levels = constant_memory(
            (fractional.restored(self._layer),), membrane_layout(plan), plan, unused=(0,)
        )
        # A row comes two cycles after its index.
        index = _delayed(m, index, leaky.CONSTANTS - 2)
        word = _delayed(m, word, leaky.LEVELS - 2)
        m.d.comb += [
            pipeline.constants.eq(read_row(m, memory, index)),
            pipeline.levels.eq(read_row(m, levels, word)),
            fifo.push_data.eq(pipeline.membranes if self._readout else pipeline.spikes),
        ]

    def _grant(self, m, full):
        """Grants windows, far enough apart, while their bank is free.

        What takes a window comes late in its cycle and from all scanners: the counters hear of it
        in the next one. So after a pass a cycle goes by in which none is granted.
        """
        plan = self._plan
        currents = self.currents
        windows = plan.positions * plan.rounds  # of a timestep
        # A window's words follow each other; those of a small memory are written before they
        # come round again.
        apart = max(plan.parts, ceil(self._latency / windows))
        bank = Signal(range(plan.banks), name="grant_bank")
        started = Signal()
        m.d.sync += started.eq(currents.start)
        axes = step_axes(m, started, [("grant_window", windows), ("grant_step", plan.timesteps_in)])
        window, step = axes["grant_window"], axes["grant_step"]
        soon = _within(m, currents.start, apart - 1)
        m.d.comb += [
            currents.grant.eq(~full.bit_select(bank, 1) & ~soon & ~step.end),
            currents.tag_in.first.eq(step.count == 0),
            currents.tag_in.plane_end.eq(window.last),
            currents.tag_in.pass_end.eq(window.last & step.last),
        ]
        with m.If(step.end):
            m.d.sync += [full.bit_select(bank, 1).eq(1), bank.eq(bank + 1)]


def _within(m, event, cycles):
    """Whether ``event`` was 1 in one of the last ``cycles`` cycles; it comes once in those."""
    if cycles < 1:
        return 0
    recent = Signal(name="recent")
    passed = Signal(cycles, name="passed")
    m.d.sync += passed.eq(passed << 1 | event)
    with m.If(event):
        m.d.sync += recent.eq(1)
    with m.Elif(passed[-1]):
        m.d.sync += recent.eq(0)
    return recent


def _delayed(m, event, cycles):
    for _ in range(cycles):
        later = Signal.like(event, name="later")
        m.d.sync += later.eq(event)
        event = later
    return event
