"""The input encoder: frames of pixels in, spikes of one timestep after the other out."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl.input.poisson import PoissonDraws
from hwgen.rtl.streams.credit_fifo import CreditFifo
from hwgen.rtl.streams.loops import step_axes


class Encoder(wiring.Component):
    """Keeps two frames: one comes in while the other is sent.

    A frame goes line by line, each line once a timestep; a line is the whole plane in the schedule
    ``time``, and a row of it in ``row``.

    radix sends a bit of each pixel a timestep, most significant first. rate adds each pixel to an
    accumulator of ``pixel_bits`` bits that starts at half its range, and sends the carry. ttfs
    sends each pixel once: the brighter, the sooner. poisson sends it where a number drawn is below
    it.

    A line's first timestep follows the pixels as they come.

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.hardware_plan.EncoderPlan`

    Members
    -------
    beats : ``In(stream.Signature(plan.input_width))``
    words : ``Out(stream.Signature(plan.word_pixels))``
    """

    def __init__(self, plan):
        self._plan = plan
        super().__init__(
            {
                "beats": In(stream.Signature(plan.input_width)),
                "words": Out(stream.Signature(plan.word_pixels)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        stored_bits = plan.pixel_bits
        if plan.code == "radix":  # what no timestep sends need not be kept
            stored_bits = min(plan.pixel_bits, plan.output.timesteps)
        dropped_bits = plan.pixel_bits - stored_bits
        word_layout = data.ArrayLayout(unsigned(stored_bits), plan.word_pixels)
        frame_words = plan.output.words_per_plane
        line_words = plan.line_words
        m.submodules.frames = frames = Memory(
            shape=word_layout, depth=2 * frame_words, init=[], attrs={"no_rw_check": 1}
        )

        held = Signal(range(3))  # frames that are complete and not yet sent
        write_word, write_end = self._collect(
            m, frames.write_port(), word_layout, dropped_bits, frame_words, held != 2
        )

        # Send: every word of a line, once a timestep.
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
        sent = Signal(3)  # words under way: read, kept, and ready to go
        # So few accumulator words that one comes again before it is written go one at a time.
        free = sent == 0 if plan.code == "rate" and line_words < 4 else 1
        # Words that came and were not yet sent in their first timestep.
        fresh = Signal(range(2 * frame_words + 1))
        some_fresh = Signal()
        first_time = send & (send_step == 0)
        m.d.comb += [
            send.eq(fifo.credit & free & (some_fresh | (send_step != 0))),
            fifo.reserve.eq(send),
        ]
        m.d.sync += [
            some_fresh.eq((fresh > 1) | ((fresh == 1) & ~first_time) | write_word),
            held.eq(held + write_end - frame_end),
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
        if plan.code == "poisson":
            m.submodules.poisson = poisson = PoissonDraws(plan)
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
        elif plan.code == "ttfs":
            self._send_once(m, pixels, bits, steps[2])
        elif plan.code == "radix":
            with m.Switch(steps[2]):
                for index in range(stored_bits):
                    with m.Case(index):
                        place = stored_bits - 1 - index
                        m.d.sync += bits.eq(Cat(pixels[n][place] for n in range(plan.word_pixels)))
        else:
            self._send_rate(m, pixels, bits, steps, words, sent)
        wiring.connect(m, fifo.words, wiring.flipped(self.words))
        return m

    def _collect(self, m, write_port, word_layout, dropped_bits, frame_words, room):
        """Take beats apart into pieces and pieces together into words of the frame memory."""
        plan = self._plan
        pixel_width = 8 * plan.pixel_bytes
        pieces = plan.beat_pixels // plan.piece_pixels  # of a beat
        gathered = plan.word_pixels // plan.piece_pixels  # for a word
        sample_pieces = -(-plan.sample_pixels // plan.piece_pixels)

        beat = Signal(plan.input_width, reset_less=True)
        left = Signal(range(pieces + 1))  # pieces of the beat not yet taken
        some_left, one_left = Signal(), Signal()
        frame = Signal()
        word_index = Signal(range(frame_words))
        take = Signal()
        sample_end = step_axes(m, take, [("piece_index", sample_pieces)])["piece_index"].end
        m.d.comb += [
            take.eq(some_left & room),
            # The next beat may come as the last piece of this one, or of the sample, goes.
            self.beats.ready.eq(~some_left | (take & one_left) | sample_end),
        ]
        with m.If(take):
            m.d.sync += [
                beat.eq(beat >> (plan.piece_pixels * pixel_width)),
                left.eq(left - 1),
                one_left.eq(left == 2),
                some_left.eq(~one_left),
            ]
        with m.If(sample_end):
            m.d.sync += some_left.eq(0)
        with m.If(self.beats.valid & self.beats.ready):
            m.d.sync += [
                beat.eq(self.beats.payload),
                left.eq(pieces),
                one_left.eq(pieces == 1),
                some_left.eq(1),
            ]

        # A word is complete with its last piece, or with the sample's.
        stored = word_layout.elem_shape.width
        piece = Signal(plan.piece_pixels * stored)
        m.d.comb += piece.eq(
            Cat(
                beat[n * pixel_width + dropped_bits : n * pixel_width + dropped_bits + stored]
                for n in range(plan.piece_pixels)
            )
        )
        spare = sample_pieces * plan.piece_pixels - plan.sample_pixels
        if spare:  # what fills up the last beat is no spike
            with m.If(sample_end):
                m.d.comb += piece[len(piece) - spare * stored :].eq(0)
        place = Signal(range(gathered))
        held = Signal(len(piece) * gathered)
        word = Signal.like(held)
        m.d.comb += word.eq(held | piece)
        if gathered > 1:
            with m.Switch(place):
                for index in range(1, gathered):
                    with m.Case(index):
                        m.d.comb += word.eq(held | piece << (index * len(piece)))
        complete = Signal()
        m.d.comb += [
            complete.eq(take & ((place == gathered - 1) | sample_end)),
            write_port.addr.eq(Mux(frame, frame_words, 0) + word_index),
            write_port.data.as_value().eq(word),
            write_port.en.eq(complete),
        ]
        with m.If(take):
            m.d.sync += [held.eq(word), place.eq(place + 1)]
        with m.If(complete):
            m.d.sync += [held.eq(0), place.eq(0), word_index.eq(word_index + 1)]
        with m.If(sample_end):
            m.d.sync += [word_index.eq(0), frame.eq(~frame)]
        return complete, sample_end

    def _send_once(self, m, pixels, bits, step):
        """The spikes of pixels whose level, 0 … T, is T less the step."""
        plan = self._plan
        timesteps = plan.output.timesteps
        due = Signal(range(timesteps + 1))
        m.d.comb += due.eq(timesteps - step)
        for n in range(plan.word_pixels):
            scaled = Signal(range((timesteps << plan.pixel_bits) + 1), name="scaled")
            m.d.comb += scaled.eq(pixels[n] * timesteps + (1 << plan.pixel_bits - 1))
            m.d.sync += bits[n].eq(scaled >> plan.pixel_bits == due)

    def _send_rate(self, m, pixels, bits, steps, words, sent):
        """Carries of the pixels' accumulators, which come from the timestep before."""
        plan = self._plan
        width = plan.pixel_bits
        layout = data.ArrayLayout(unsigned(width), plan.word_pixels)
        m.submodules.accumulators = memory = Memory(
            shape=layout, depth=plan.line_words, init=[], attrs={"no_rw_check": 1}
        )
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
