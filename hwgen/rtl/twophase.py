"""The two-phase membrane unit: accumulates one sample's currents, fires its spikes."""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan import widths
from hwgen.rtl.constants import constant_memory
from hwgen.rtl.fifo import PromiseFifo
from hwgen.rtl.membrane import LATENCY, MembraneBank, membrane_layout
from hwgen.rtl.parts import CurrentParts


class TwoPhaseUnit(wiring.Component):
    """Phase I of the two-phase neuron, and its Phase II or, for a read-out, its logits.

    With one bank it accumulates a sample and then fires it; with two it fires a sample while it
    accumulates the next. Each phase visits the membranes in the order of the stream.

    Parameters
    ----------
    plan : :class:`hwgen.plan.hardware.LayerPlan`
    layer : :class:`hwgen.network.Layer`
    given : :class:`hwgen.network.Signal`
        What its sources give.

    Members
    -------
    currents : ``In(stream.Signature(data.ArrayLayout(signed(plan.current_width), plan.lanes)))``
    words : ``Out(stream.Signature(...))``
        Spike words of ``membrane_lanes`` bits, or as many logits.
    """

    def __init__(self, plan, layer, given):
        self._plan = plan
        self._constants = widths.firing_constants(layer, given)
        self._readout = plan.kind == "readout"
        word = membrane_layout(plan) if self._readout else unsigned(plan.membrane_lanes)
        self._word = word
        super().__init__(
            {
                "currents": In(CurrentParts.signature(plan)),
                "words": Out(stream.Signature(word)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        banks = [MembraneBank(plan) for _ in range(plan.banks)]
        firing = Signal(plan.banks)  # whose sample is complete
        idle = Signal(plan.banks)
        for index, bank in enumerate(banks):
            m.submodules[f"bank_{index}"] = bank
            m.d.comb += idle[index].eq(bank.idle)
        # A memory so small that a word comes round before it is written takes one step at a time.
        free = idle if plan.membrane_depth < LATENCY else ~idle | idle

        # Phase I.
        m.submodules.parts = parts = CurrentParts(plan)
        wiring.connect(m, wiring.flipped(self.currents), parts.currents)
        acc_bank = Signal(range(plan.banks))
        acc_step = Signal(range(plan.timesteps_in))
        acc_address = Signal(range(plan.membrane_depth))
        acc_plane = Signal()
        acc_end = Signal()
        m.d.comb += [
            parts.word.ready.eq(~firing.bit_select(acc_bank, 1) & free.bit_select(acc_bank, 1)),
            acc_plane.eq(
                parts.word.valid & parts.word.ready & (acc_address == plan.membrane_depth - 1)
            ),
            acc_end.eq(acc_plane & (acc_step == plan.timesteps_in - 1)),
        ]
        with m.If(parts.word.valid & parts.word.ready):
            m.d.sync += acc_address.eq(acc_address + 1)
        with m.If(acc_plane):
            m.d.sync += [acc_address.eq(0), acc_step.eq(acc_step + 1)]
        with m.If(acc_end):
            m.d.sync += [acc_step.eq(0), acc_bank.eq(acc_bank + 1)]

        # Phase II.
        m.submodules.fifo = fifo = PromiseFifo(shape=self._word)
        fire_bank = Signal(range(plan.banks))
        fire_step = Signal(range(plan.timesteps_out))
        fire_address = Signal(range(plan.membrane_depth))
        fire_word = Signal(range(plan.words))
        fire = Signal()
        fire_plane = Signal()
        fire_end = Signal()
        m.d.comb += [
            fire.eq(firing.bit_select(fire_bank, 1) & free.bit_select(fire_bank, 1) & fifo.free),
            fire_plane.eq(fire & (fire_address == plan.membrane_depth - 1)),
            fire_end.eq(fire_plane & (fire_step == plan.timesteps_out - 1)),
            fifo.promise.eq(fire),
        ]
        with m.If(fire):
            m.d.sync += [fire_address.eq(fire_address + 1), fire_word.eq(fire_word + 1)]
            with m.If(fire_word == plan.words - 1):
                m.d.sync += fire_word.eq(0)
        with m.If(fire_plane):
            m.d.sync += [fire_address.eq(0), fire_step.eq(fire_step + 1)]
        with m.If(fire_end):
            m.d.sync += [fire_step.eq(0), fire_bank.eq(fire_bank + 1)]

        # A bank changes hands with the last step of its phase.
        for index in range(plan.banks):
            with m.If(acc_end & (acc_bank == index)):
                m.d.sync += firing[index].eq(1)
            with m.If(fire_end & (fire_bank == index)):
                m.d.sync += firing[index].eq(0)

        # A lane without a channel accumulates 0, and never fires from one below that. No more is
        # taken from it in later steps: its few bits could run over.
        m.submodules.constants = memory = constant_memory(
            self._constants, membrane_layout(plan), plan, unused=(-1, 0)
        )
        constants = memory.read_port()
        m.d.comb += constants.addr.eq((fire_word << 1) | (fire_step != 0))
        for index, bank in enumerate(banks):
            mine = firing[index]
            m.d.comb += [
                bank.issue.fire.eq(mine),
                bank.issue.valid.eq(
                    Mux(
                        mine,
                        fire & (fire_bank == index),
                        parts.word.valid & parts.word.ready & (acc_bank == index),
                    )
                ),
                bank.issue.first.eq(Mux(mine, fire_step == 0, acc_step == 0)),
                bank.issue.address.eq(Mux(mine, fire_address, acc_address)),
                bank.issue.currents.eq(parts.word.payload),
                bank.constants.eq(constants.data),
            ]

        # Only one bank fires at a time, and its words come in order.
        for bank in banks:
            with m.If(bank.fired):
                m.d.comb += fifo.push.eq(1)
                for lane in range(plan.membrane_lanes):
                    membrane = bank.membranes[lane]
                    if self._readout:
                        m.d.comb += fifo.push_data[lane].eq(membrane >> int(plan.leak_in))
                    else:
                        m.d.comb += fifo.push_data[lane].eq(~membrane[-1])
        wiring.connect(m, fifo.words, wiring.flipped(self.words))
        return m
