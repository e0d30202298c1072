"""Random numbers of a Poisson input: the same for each pixel and timestep in any schedule."""

from amaranth import Module, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.encoder import EncoderPlan
from hwgen.rtl.input import lfsr
from hwgen.rtl.parameters import Parameter

LOG2_DRAWS_PER_TIMESTEP = 20
"""The sequence of each timestep starts 2^20 numbers after that of the previous one."""


class PoissonDraws(wiring.Component):
    """Draws ``word_pixels`` numbers with each word that is sent.

    At the end of a timestep the register jumps to the sequence of the next one, and at the end of
    a frame back to the first. Every line but the first resumes the sequence of its timestep where
    the previous line stopped.

    Members
    -------
    send, step_end, line_end, frame_end : ``In(1)``
        A word is sent; it is the last one of a line in this timestep, of a line, of a frame.
    step : ``In(range(timesteps))``
        Timestep of the word.
    first : ``In(1)``
        The word belongs to the first line of the frame.
    draws : ``Out(data.ArrayLayout(unsigned(pixel_bits + 4), word_pixels))``
        Two cycles after ``send``.
    """

    plan = Parameter(EncoderPlan)

    def __init__(self, *, plan: EncoderPlan) -> None:
        self.plan = plan
        self._bits = plan.pixel_bits + 4
        members = {
            "send": In(1),
            "step_end": In(1),
            "line_end": In(1),
            "frame_end": In(1),
            "step": In(range(plan.output.timesteps)),
            "first": In(1),
            "draws": Out(data.ArrayLayout(unsigned(self._bits), plan.word_pixels)),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        timesteps = plan.output.timesteps
        state = Signal(lfsr.BITS, init=plan.seed)
        following = Signal(lfsr.BITS)
        word_bits = self._bits * plan.word_pixels
        drawn = Signal(word_bits, reset_less=True)
        draws = Signal(word_bits, reset_less=True)
        sequence = lfsr.identity()
        masks = []
        for _ in range(word_bits):
            masks.append(sequence[0])
            sequence = lfsr.advance(sequence, 1)
        m.d.comb += [following.eq(lfsr.read(state, sequence)), self.draws.as_value().eq(draws)]
        m.d.sync += [drawn.eq(lfsr.read(state, masks)), draws.eq(drawn)]
        with m.If(self.send):
            m.d.sync += state.eq(following)
        if timesteps > 1:
            self._next_step(m, state, following)
        with m.If(self.frame_end):
            m.d.sync += state.eq(plan.seed)
        return m

    def _next_step(self, m: Module, state: Value, following: Value) -> None:
        """Jump to the sequence of the next timestep; resume it where the last line stopped."""
        plan = self.plan
        timesteps = plan.output.timesteps
        base = Signal(lfsr.BITS, init=plan.seed)  # start of the timestep's sequence
        next_base = Signal(lfsr.BITS)
        m.d.comb += next_base.eq(lfsr.read(base, lfsr.jump(self._bits << LOG2_DRAWS_PER_TIMESTEP)))
        with m.If(self.step_end):
            m.d.sync += [state.eq(next_base), base.eq(next_base)]
        if plan.burst_words < plan.output.words_per_plane:
            m.submodules.resume = memory = Memory(
                shape=unsigned(lfsr.BITS), depth=timesteps, init=[]
            )
            write_port, read_port = memory.write_port(), memory.read_port(domain="comb")
            m.d.comb += [
                write_port.addr.eq(self.step),
                write_port.data.eq(following),
                write_port.en.eq(self.step_end),
                read_port.addr.eq(self.step + 1),
            ]
            with m.If(self.line_end):
                m.d.comb += read_port.addr.eq(0)
            with m.If(self.step_end & (~self.first | self.line_end)):
                m.d.sync += state.eq(read_port.data)
        with m.If(self.frame_end):
            m.d.sync += base.eq(plan.seed)
