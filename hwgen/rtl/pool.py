"""Max-pool of spike trains: a race between the candidates of a window, or a spike count."""

from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units import latencies
from hwgen.plan.units.pool import PoolPlan
from hwgen.rtl.memory import block_memory
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.credit_fifo import CreditFifo
from hwgen.rtl.window.buffer import WindowBuffer


class MaxPool(wiring.Component):
    """Max-pool: in each timestep the OR of the candidates still in the race, or the spike of the
    candidate with the most spikes so far.

    A candidate that sent 0 when the window sent 1 is out of the race. This is detected in the next
    timestep, so every candidate is processed once per timestep, one per cycle. The state of a
    candidate is (in the race, last bit), that of a window its last output. If ``plan.count_bits``,
    the state of a candidate is its spike count.

    Members
    -------
    inputs : ``In(stream.Signature(plan.window.word_width))``
    words : ``Out(stream.Signature(plan.output.width))``
    """

    plan = Parameter(PoolPlan)

    def __init__(self, *, plan: PoolPlan) -> None:
        self.plan = plan
        members = {
            "inputs": In(stream.Signature(plan.window.word_width)),
            "words": Out(stream.Signature(plan.output.width)),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        width = plan.output.width
        if plan.count_bits:
            state_layout = data.ArrayLayout(unsigned(plan.count_bits), width)
        else:
            state_layout = data.StructLayout({"racing": unsigned(width), "sent": unsigned(width)})
        depth = plan.words * plan.candidates
        m.submodules.window = window = WindowBuffer(path=plan.path)
        m.submodules.fifo = fifo = CreditFifo(shape=unsigned(width))
        m.submodules.states = states = block_memory(shape=state_layout, depth=depth)
        wiring.connect(m, wiring.flipped(self.inputs), window.words)
        wiring.connect(m, fifo.words, wiring.flipped(self.words))
        chunks = window.chunks[0]

        # Issue the next candidate; the last one of a window reserves a slot for its word.
        step = Signal(range(plan.window.timesteps))
        candidate = Signal(range(depth))
        word = Signal(range(plan.words))
        go = Signal()
        last = Signal()
        read = Signal(2)  # valid, last
        race = Signal(2)
        # A window that repeats before its output is written waits for it.
        soon = (plan.words - 1) * plan.candidates + 1 < latencies.POOL
        free = ~(read[1] | race[1]) if soon else 1
        m.d.comb += [
            last.eq(chunks.payload.last),
            chunks.ready.eq((fifo.credit | ~last) & free),
            go.eq(chunks.valid & chunks.ready),
            fifo.reserve.eq(go & last),
        ]
        with m.If(go):
            m.d.sync += candidate.eq(candidate + 1)
            with m.If(candidate == depth - 1):
                m.d.sync += [candidate.eq(0), step.eq(step + 1)]
                with m.If(step == plan.window.timesteps - 1):
                    m.d.sync += step.eq(0)
            with m.If(last):
                m.d.sync += word.eq(word + 1)
                with m.If(word == plan.words - 1):
                    m.d.sync += word.eq(0)

        # Read the candidate's state.
        state_read, state_write = states.read_port(), states.write_port()
        m.d.comb += state_read.addr.eq(candidate)
        delayed = [
            (chunks.payload.bits, Signal(width), Signal(width)),
            (candidate, Signal.like(candidate), Signal.like(candidate)),
            (word, Signal.like(word), Signal.like(word)),
            (step == 0, Signal(), Signal()),
        ]
        m.d.sync += [read.eq(Cat(go, go & last)), race.eq(read)]
        for now, read_value, race_value in delayed:
            m.d.sync += [read_value.eq(now), race_value.eq(read_value)]
        bits, race_candidate, race_word, first = (values[2] for values in delayed)
        state = Signal(state_layout, reset_less=True)
        output = Signal(width)
        m.d.sync += state.eq(state_read.data)
        m.d.comb += [
            state_write.addr.eq(race_candidate),
            state_write.en.eq(race[0]),
            fifo.push.eq(race[1]),
            fifo.push_data.eq(output),
        ]
        if plan.count_bits:
            self._count(m, bits, state, first, race, output, state_write.data)
        else:
            words = word, race_word
            self._race(m, words, bits, state, first, race, output, state_write.data)
        return m

    def _count(
        self,
        m: Module,
        bits: Value,
        counts: Value,
        first: Value,
        step: Value,
        output: Value,
        written: Value,
    ) -> None:
        """The spike of the candidate with the most spikes; the first one wins a tie."""
        plan = self.plan
        for lane in range(plan.output.width):
            count = Signal(plan.count_bits, name="count")
            highest = Signal(plan.count_bits, name="highest")
            sent, more = Signal(name="sent"), Signal(name="more")
            m.d.comb += [
                count.eq(Mux(first, 0, counts[lane]) + bits[lane]),
                more.eq(count > highest),
                output[lane].eq(Mux(more, bits[lane], sent)),
                written[lane].eq(count),
            ]
            with m.If(step[0]):
                m.d.sync += sent.eq(output[lane])
                with m.If(more):
                    m.d.sync += highest.eq(count)
            with m.If(step[1]):
                m.d.sync += [sent.eq(0), highest.eq(0)]

    def _race(
        self,
        m: Module,
        words: tuple[Value, Value],
        bits: Value,
        state: Value,
        first: Value,
        race: Value,
        output: Value,
        written: Value,
    ) -> None:
        """The OR of the candidates in the race; ``words``: the window now and two cycles later."""
        plan = self.plan
        width = plan.output.width
        m.submodules.outputs = outputs = block_memory(shape=unsigned(width), depth=plan.words)
        output_read, output_write = outputs.read_port(), outputs.write_port()
        previous = Signal(width, reset_less=True)
        m.d.sync += previous.eq(output_read.data)
        racing = Signal(width)
        raised = Signal(width)
        m.d.comb += [
            output_read.addr.eq(words[0]),
            racing.eq(state.racing & (state.sent | ~previous)),
            output.eq(raised | (racing & bits)),
        ]
        with m.If(first):
            m.d.comb += racing.eq(-1)
        with m.If(race[0]):
            m.d.sync += raised.eq(output)
            with m.If(race[1]):
                m.d.sync += raised.eq(0)
        m.d.comb += [
            written.racing.eq(racing),
            written.sent.eq(bits),
            output_write.addr.eq(words[1]),
            output_write.data.eq(output),
            output_write.en.eq(race[1]),
        ]
