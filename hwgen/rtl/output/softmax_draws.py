"""Random spikes of a softmax: compares each class's share with a random number, and counts."""

from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out

from hwgen.plan.units.softmax import STAGE_BITS, SoftmaxPlan
from hwgen.rtl.input import lfsr
from hwgen.rtl.output.softmax_terms import terms_signature
from hwgen.rtl.parameters import Parameter


class SoftmaxDraws(wiring.Component):
    """Decides r·S < e·2^R one bit of r at a time, and counts the spikes.

    r is a random number of R bits, e the term of a class, S the sum of all terms. The quotient
    e / S is compared with r bit by bit, most significant bit first. Start with ρ = e; 0 ≤ ρ ≤ S
    holds until the decision::

        bit of r is 1   ρ ← 2·ρ − S;  no spike if this is negative
        bit of r is 0   ρ ← 2·ρ;      a spike if this is at least S

    After the last bit ρ = e·2^R − r·S: a spike if it is positive. Classes pass through
    ``plan.stages`` pipeline stages, each of which handles STAGE_BITS bits.

    Members
    -------
    terms : ``Out(terms_signature(plan))``
    counts : ``Out(stream.Signature(plan.count_width))``
        Counts of each sample, in the order of the classes.
    """

    plan = Parameter(SoftmaxPlan)

    def __init__(self, *, plan: SoftmaxPlan) -> None:
        self.plan = plan
        super().__init__(
            {"terms": Out(terms_signature(plan)), "counts": Out(stream.Signature(plan.count_width))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, terms, counts = self.plan, self.terms, self.counts
        total = Signal(plan.sum_width, reset_less=True)
        busy, load = Signal(), Signal()
        phase, shift = Signal(range(STAGE_BITS)), Signal()
        index = Signal(range(plan.classes))
        step = Signal(range(plan.timesteps))
        last_step = step == plan.timesteps - 1
        counted, sent = Signal(), Signal()  # the last class of a timestep is counted; sent
        out = Signal(range(plan.classes))
        m.d.comb += [shift.eq(phase == STAGE_BITS - 1), terms.address.eq(index)]
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

    def _draw(self, m: Module, load: Value, restart: Value) -> Value:
        """r: the next random number after each ``load``, the first one after ``restart``."""
        state = Signal(lfsr.BITS, init=self.plan.seed)
        with m.If(load):
            m.d.sync += state.eq(
                lfsr.read(state, lfsr.advance(lfsr.identity(), self.plan.random_bits))
            )
        with m.If(restart):
            m.d.sync += state.eq(self.plan.seed)
        return state[: self.plan.random_bits]

    def _compare(
        self, m: Module, total: Value, number: Value, load: Value, busy: Value, shift: Value
    ) -> tuple[Value, Value]:
        """(spike, decided): whether a class spikes, valid in the cycle with ``decided``."""
        plan = self.plan
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
            following = Signal(layout, name=f"following_{n}")
            doubled = Signal(plan.sum_width + 1, name="doubled")
            less = Signal(range(-(1 << plan.sum_width), 1 << plan.sum_width + 1), name="less")
            one = stage.number[-1]
            m.d.comb += [
                doubled.eq(stage.rest << 1),
                less.eq(doubled - total),
                following.eq(stage),
                following.number.eq(stage.number << 1),
                following.rest.eq(Mux(one, less, doubled)),
            ]
            with m.If(~stage.won & ~stage.lost):
                m.d.comb += [
                    following.won.eq(~one & (less >= 0)),
                    following.lost.eq(one & (less < 0)),
                ]
            with m.If(busy):
                m.d.sync += stage.eq(Mux(shift, entering, following))
            entering = following
        decided = Signal()
        won, left = Signal(), Signal(plan.sum_width)
        m.d.sync += [
            decided.eq(busy & shift & entering.valid),
            won.eq(entering.won),
            left.eq(Mux(entering.lost, 0, entering.rest)),
        ]
        return won | left.any(), decided

    def _count(
        self, m: Module, spike: Value, decided: Value, counted: Value, first_step: Value, out: Value
    ) -> None:
        """Add ``spike`` to the count of its class; the first timestep restarts the counts."""
        plan = self.plan
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
