"""The draws of a softmax: who spikes, by a random number and its share; and the counts."""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out

from hwgen.plan.units.softmax import STAGE_BITS
from hwgen.rtl.input import lfsr
from hwgen.rtl.output.softmax_terms import terms_signature


class SoftmaxDraws(wiring.Component):
    """Compares r·S < e·2^R, a bit of r after the other, and counts the spikes.

    It divides e by S and compares the bits of the quotient with those of r, the most significant
    first: with ρ = e before the first bit, and 0 ≤ ρ ≤ S always,

        r's bit 1   ρ ← 2·ρ − S;  below 0: no spike, whatever comes
        r's bit 0   ρ ← 2·ρ;      at least S: a spike, whatever comes

    and after the last bit ρ = e·2^R − r·S, a spike where it is above 0. Classes go through
    ``plan.stages`` stages in turn, each of which takes STAGE_BITS bits.

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.softmax.SoftmaxPlan`

    Members
    -------
    terms : ``Out(terms_signature(plan))``
    counts : ``Out(stream.Signature(plan.count_width))``
        Of each sample, in the order of the classes.
    """

    def __init__(self, plan):
        self._plan = plan
        super().__init__(
            {
                "terms": Out(terms_signature(plan)),
                "counts": Out(stream.Signature(plan.count_width)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan, terms, counts = self._plan, self.terms, self.counts
        total = Signal(plan.sum_width, reset_less=True)
        busy, load = Signal(), Signal()
        phase, shift = Signal(range(STAGE_BITS)), Signal()
        index = Signal(range(plan.classes))
        step = Signal(range(plan.timesteps))
        last_step = step == plan.timesteps - 1
        counted, sent = Signal(), Signal()  # the last class of a timestep; its count
        out = Signal(range(plan.classes))
        m.d.comb += [
            shift.eq(phase == STAGE_BITS - 1),
            terms.address.eq(index),
        ]
        with m.If(busy):
            m.d.sync += phase.eq(phase + 1)
        with m.FSM():
            with m.State("wait"):
                m.d.sync += total.eq(terms.total)
                with m.If(terms.valid):
                    m.next = "load"
            with m.State("load"):
                m.d.comb += [busy.eq(1), load.eq(shift)]
                with m.If(shift):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == plan.classes - 1):
                        m.d.sync += index.eq(0)
                        m.next = "drain"
            with m.State("drain"):
                m.d.comb += busy.eq(1)
                with m.If(counted):
                    m.d.comb += [busy.eq(0), terms.done.eq(~last_step)]
                    m.d.sync += [phase.eq(0), step.eq(step + 1)]
                    m.next = "wait"
                    with m.If(last_step):
                        m.d.sync += step.eq(0)
                        m.next = "send"
            with m.State("send"):
                m.d.comb += [
                    counts.valid.eq(1),
                    sent.eq(counts.ready & (out == plan.classes - 1)),
                    terms.done.eq(sent),
                ]
                with m.If(counts.ready):
                    m.d.sync += out.eq(out + 1)
                with m.If(sent):
                    m.d.sync += out.eq(0)
                    m.next = "wait"
        number = self._draw(m, load, sent)
        spike, decided = self._compare(m, total, number, load, busy, shift)
        self._count(m, spike, decided, counted, step == 0, out)
        return m

    def _draw(self, m, load, restart):
        """r, a new one after each ``load``, and the first one after ``restart``."""
        state = Signal(lfsr.BITS, init=self._plan.seed)
        with m.If(load):
            m.d.sync += state.eq(lfsr.read(state, lfsr.later(lfsr.start(), self._plan.random_bits)))
        with m.If(restart):
            m.d.sync += state.eq(self._plan.seed)
        return state[: self._plan.random_bits]

    def _compare(self, m, total, number, load, busy, shift):
        """Whether a class spikes, in the cycle with ``decided``."""
        plan = self._plan
        bits = STAGE_BITS * plan.stages
        layout = data.StructLayout(
            {"valid": 1, "rest": plan.sum_width, "won": 1, "lost": 1, "number": bits}
        )
        stages = [Signal(layout, name=f"stage_{n}") for n in range(plan.stages)]
        entering = Signal(layout)
        m.d.comb += [
            entering.valid.eq(load),
            entering.rest.eq(self.terms.entry),
            entering.number.eq(number << bits - plan.random_bits),
        ]
        for n, stage in enumerate(stages):
            further = Signal(layout, name=f"further_{n}")
            doubled = Signal(plan.sum_width + 1, name="doubled")
            less = Signal(range(-(1 << plan.sum_width), 1 << plan.sum_width + 1), name="less")
            one = stage.number[-1]
            m.d.comb += [
                doubled.eq(stage.rest << 1),
                less.eq(doubled - total),
                further.eq(stage),
                further.number.eq(stage.number << 1),
                further.rest.eq(Mux(one, less, doubled)),
            ]
            with m.If(~stage.won & ~stage.lost):
                m.d.comb += [further.won.eq(~one & (less >= 0)), further.lost.eq(one & (less < 0))]
            with m.If(busy):
                m.d.sync += stage.eq(Mux(shift, entering, further))
            entering = further
        decided = Signal()
        won, left = Signal(), Signal(plan.sum_width)
        m.d.sync += [
            decided.eq(busy & shift & entering.valid),
            won.eq(entering.won),
            left.eq(Mux(entering.lost, 0, entering.rest)),
        ]
        return won | left.any(), decided

    def _count(self, m, spike, decided, counted, first_step, out):
        plan = self._plan
        m.submodules.counts = memory = Memory(
            shape=unsigned(plan.count_width), depth=plan.classes, init=[]
        )
        write_port, read_port = memory.write_port(), memory.read_port(domain="comb")
        index = Signal(range(plan.classes))
        m.d.comb += [
            read_port.addr.eq(Mux(decided, index, out)),
            write_port.addr.eq(index),
            write_port.data.eq(Mux(first_step, 0, read_port.data) + spike),
            write_port.en.eq(decided),
            counted.eq(decided & (index == plan.classes - 1)),
            self.counts.payload.eq(read_port.data),
        ]
        with m.If(decided):
            m.d.sync += index.eq(index + 1)
        with m.If(counted):
            m.d.sync += index.eq(0)
