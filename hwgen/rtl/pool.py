"""Max-pool of spike trains: the candidates of each window race, most significant bit first."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl.fifo import PromiseFifo
from hwgen.rtl.window import WindowBuffer


class MaxPool(wiring.Component):
    """Sends in each timestep the OR of the candidates still in the race.

    A candidate that sent 0 where the window sent 1 is out. That is found a timestep later, when
    the candidate comes again, so every candidate is seen once a timestep, one a cycle: its state
    is (in the race, last bit) and the window's is its last output.

    Parameters
    ----------
    plan : :class:`hwgen.plan.hardware.PoolPlan`

    Members
    -------
    inputs : ``In(stream.Signature(plan.window.word_width))``
    words : ``Out(stream.Signature(plan.output.width))``
    """

    def __init__(self, plan):
        self._plan = plan
        super().__init__(
            {
                "inputs": In(stream.Signature(plan.window.word_width)),
                "words": Out(stream.Signature(plan.output.width)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        width = plan.output.width
        state_layout = data.StructLayout({"racing": unsigned(width), "sent": unsigned(width)})
        depth = plan.words * plan.candidates
        m.submodules.window = window = WindowBuffer(plan.window)
        m.submodules.fifo = fifo = PromiseFifo(shape=unsigned(width))
        m.submodules.states = states = Memory(
            shape=state_layout, depth=depth, init=[], attrs={"no_rw_check": 1}
        )
        m.submodules.outputs = outputs = Memory(
            shape=unsigned(width), depth=plan.words, init=[], attrs={"no_rw_check": 1}
        )
        wiring.connect(m, wiring.flipped(self.inputs), window.words)
        wiring.connect(m, fifo.words, wiring.flipped(self.words))
        chunks = window.chunks[0]

        # Issue: the next candidate; a window promises its word with its last one.
        step = Signal(range(plan.window.timesteps))
        candidate = Signal(range(depth))
        word = Signal(range(plan.words))
        go = Signal()
        last = Signal()
        read_valid = Signal()
        read_last = Signal()
        # The only window of a plane comes again before its output is written.
        free = ~(read_valid & read_last) if plan.words == 1 else 1
        m.d.comb += [
            last.eq(chunks.payload.last),
            chunks.ready.eq((fifo.free | ~last) & free),
            go.eq(chunks.valid & chunks.ready),
            fifo.promise.eq(go & last),
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

        # Race.
        state_read, state_write = states.read_port(), states.write_port()
        output_read, output_write = outputs.read_port(), outputs.write_port()
        bits = Signal(width)
        first = Signal()
        read_candidate = Signal.like(candidate)
        read_word = Signal.like(word)
        m.d.comb += [state_read.addr.eq(candidate), output_read.addr.eq(word)]
        m.d.sync += [
            read_valid.eq(go),
            read_last.eq(last),
            bits.eq(chunks.payload.bits),
            first.eq(step == 0),
            read_candidate.eq(candidate),
            read_word.eq(word),
        ]
        racing = Signal(width)
        raised = Signal(width)
        output = Signal(width)
        state = state_read.data
        m.d.comb += [
            racing.eq(state.racing & (state.sent | ~output_read.data)),
            output.eq(raised | (racing & bits)),
        ]
        with m.If(first):
            m.d.comb += racing.eq(-1)
        with m.If(read_valid):
            m.d.sync += raised.eq(output)
            with m.If(read_last):
                m.d.sync += raised.eq(0)
        m.d.comb += [
            state_write.addr.eq(read_candidate),
            state_write.data.racing.eq(racing),
            state_write.data.sent.eq(bits),
            state_write.en.eq(read_valid),
            output_write.addr.eq(read_word),
            output_write.data.eq(output),
            output_write.en.eq(read_valid & read_last),
            fifo.push.eq(read_valid & read_last),
            fifo.push_data.eq(output),
        ]
        return m
