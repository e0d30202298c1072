"""The input encoder: frames of pixels in, spikes of one timestep after the other out."""

from amaranth import Cat, Module, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.network import InputCode
from hwgen.plan.units.encoder import EncoderPlan
from hwgen.rtl.input.pixel_packing import pack_pixels
from hwgen.rtl.input.poisson import PoissonDraws
from hwgen.rtl.memory import block_memory
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.credit_fifo import CreditFifo
from hwgen.rtl.streams.loops import step_axes


class PixelEncoder(wiring.Component):
    """Stores two frames: one is received while the other is sent.

    A frame is sent line by line, each line once per timestep; a line is the whole plane in the
    schedule ``time`` and a row in the schedule ``row``. The first timestep of a line follows the
    pixels as they arrive.

    * radix: one bit of each pixel per timestep, most significant first.
    * rate: the carry of an accumulator of ``pixel_bits`` bits that starts at half its range and
      adds the pixel in each timestep.
    * ttfs: one spike per pixel; brighter pixels spike earlier.
    * poisson: a spike if a random number is less than the scaled pixel.

    Members
    -------
    beats : ``In(stream.Signature(plan.input_width))``
    words : ``Out(stream.Signature(plan.word_pixels))``
    """

    plan = Parameter(EncoderPlan)

    def __init__(self, *, plan: EncoderPlan) -> None:
        self.plan = plan
        members = {
            "beats": In(stream.Signature(plan.input_width)),
            "words": Out(stream.Signature(plan.word_pixels)),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        stored_bits = plan.pixel_bits
        if plan.code == InputCode.RADIX:  # drop bits that no timestep sends
            stored_bits = min(plan.pixel_bits, plan.output.timesteps)
        word_layout = data.ArrayLayout(unsigned(stored_bits), plan.word_pixels)
        frame_words = plan.output.words_per_plane
        line_words = plan.burst_words
        m.submodules.frames = frames = block_memory(shape=word_layout, depth=2 * frame_words)

        complete = Signal(range(3))  # complete frames that are not yet sent
        write_word, write_end = pack_pixels(
            m,
            plan,
            beats=self.beats,
            write_port=frames.write_port(),
            word_layout=word_layout,
            room=complete != 2,
        )

        # Send every word of a line, once per timestep.
        m.submodules.fifo = fifo = CreditFifo(shape=unsigned(plan.word_pixels))
        send = Signal()
        axes = step_axes(
            m,
            send,
            [
                ("send_word", line_words),
                ("send_step", plan.output.timesteps),
                ("send_line", frame_words // line_words),
            ],
        )
        send_word, step_end, _ = axes["send_word"]
        send_step, line_end, _ = axes["send_step"]
        frame_end = axes["send_line"].end
        sent = Signal(3)  # words in flight: read, registered, encoded
        # With few accumulator words, a word would be read again before it is written: wait for it.
        free = sent == 0 if plan.code == InputCode.RATE and line_words < 4 else 1
        # Words that have arrived and are not yet sent in their first timestep.
        fresh = Signal(range(2 * frame_words + 1))
        some_fresh = Signal()
        first_time = send & (send_step == 0)
        m.d.comb += [
            send.eq(fifo.credit & free & (some_fresh | (send_step != 0))),
            fifo.reserve.eq(send),
        ]
        m.d.sync += [
            some_fresh.eq((fresh > 1) | ((fresh == 1) & ~first_time) | write_word),
            complete.eq(complete + write_end - frame_end),
        ]

        with m.If(write_word & ~first_time):
            m.d.sync += fresh.eq(fresh + 1)
        with m.If(first_time & ~write_word):
            m.d.sync += fresh.eq(fresh - 1)

        read_port = frames.read_port()
        line_start = Signal(range(2 * frame_words))
        following = Signal(range(2 * frame_words))
        m.d.comb += following.eq(read_port.addr + 1)
        with m.If(read_port.addr == 2 * frame_words - 1):
            m.d.comb += following.eq(0)
        address = Signal(range(2 * frame_words))
        m.d.comb += read_port.addr.eq(address)
        with m.If(send):
            m.d.sync += address.eq(following)
        with m.If(step_end):
            m.d.sync += address.eq(line_start)
        with m.If(line_end):
            m.d.sync += [address.eq(following), line_start.eq(following)]
        pixels = Signal(word_layout, reset_less=True)
        bits = Signal(plan.word_pixels, reset_less=True)
        m.d.sync += [sent.eq(sent << 1 | send), pixels.eq(read_port.data), bits.eq(0)]
        m.d.comb += [fifo.push.eq(sent[2]), fifo.push_data.eq(bits)]
        steps = [send_step, Signal.like(send_step), Signal.like(send_step)]
        words = [send_word, *(Signal.like(send_word) for _ in range(3))]
        for delayed in (steps, words):
            m.d.sync += [b.eq(a) for a, b in zip(delayed, delayed[1:], strict=False)]
        if plan.code == InputCode.POISSON:
            m.submodules.poisson = poisson = PoissonDraws(plan=plan)
            m.d.comb += [
                poisson.send.eq(send),
                poisson.step.eq(send_step),
                poisson.first.eq(axes["send_line"].count == 0),
                poisson.step_end.eq(step_end),
                poisson.line_end.eq(line_end),
                poisson.frame_end.eq(frame_end),
            ]
            m.d.sync += [
                bits[n].eq(poisson.draws[n] < pixels[n] * plan.gain)
                for n in range(plan.word_pixels)
            ]
        elif plan.code == InputCode.TTFS:
            self._send_once(m, pixels, bits, steps[2])
        elif plan.code == InputCode.RADIX:
            with m.Switch(steps[2]):
                for index in range(stored_bits):
                    with m.Case(index):
                        bit = stored_bits - 1 - index
                        m.d.sync += bits.eq(Cat(pixels[n][bit] for n in range(plan.word_pixels)))
        else:
            self._send_rate(m, pixels, bits, steps, words, sent)
        wiring.connect(m, fifo.words, wiring.flipped(self.words))
        return m

    def _send_once(self, m: Module, pixels: Value, bits: Value, step: Value) -> None:
        """ttfs: a pixel of level n, 0 … T, spikes in step T − n."""
        plan = self.plan
        timesteps = plan.output.timesteps
        due = Signal(range(timesteps + 1))
        m.d.comb += due.eq(timesteps - step)
        for n in range(plan.word_pixels):
            scaled = Signal(range((timesteps << plan.pixel_bits) + 1), name="scaled")
            m.d.comb += scaled.eq(pixels[n] * timesteps + (1 << plan.pixel_bits - 1))
            m.d.sync += bits[n].eq(scaled >> plan.pixel_bits == due)

    def _send_rate(
        self,
        m: Module,
        pixels: Value,
        bits: Value,
        steps: list[Value],
        words: list[Value],
        sent: Value,
    ) -> None:
        """rate: the carries of the pixels' accumulators."""
        plan = self.plan
        width = plan.pixel_bits
        layout = data.ArrayLayout(unsigned(width), plan.word_pixels)
        m.submodules.accumulators = memory = block_memory(shape=layout, depth=plan.burst_words)
        read_port, write_port = memory.read_port(), memory.write_port()
        before, after = Signal(layout, reset_less=True), Signal(layout, reset_less=True)
        m.d.sync += before.eq(read_port.data)
        with m.If(steps[1] == 0):
            m.d.sync += [before[n].eq(1 << width - 1) for n in range(plan.word_pixels)]
        for n in range(plan.word_pixels):
            total = Signal(width + 1, name="total")
            m.d.comb += total.eq(before[n] + pixels[n])
            m.d.sync += [after[n].eq(total), bits[n].eq(total[width])]
        m.d.comb += [
            read_port.addr.eq(words[0]),
            write_port.addr.eq(words[3]),
            write_port.data.eq(after),
            write_port.en.eq(sent[2]),
        ]
