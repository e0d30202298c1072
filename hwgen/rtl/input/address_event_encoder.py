"""The address-event encoder: events in order of time in, planes of spikes out."""

from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.encoder import EncoderPlan
from hwgen.plan.units.geometry import WordLayout
from hwgen.rtl.memory import block_memory
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.credit_fifo import CreditFifo
from hwgen.rtl.streams.loops import step_axes


class AddressEventEncoder(wiring.Component):
    """Stores two planes of bits: one collects the events of a timestep while the other is sent.

    Each word of a plane is cleared after it is sent. A beat with a later t completes the current
    plane and any empty planes before its own; the last beat of a sample completes all remaining
    planes. A beat is dropped if t is past the last timestep or earlier than that of a previous
    beat of its sample, or if x, y or channel lie outside the map; its ``last`` still counts. A
    null beat carries no event and only advances t.

    Members
    -------
    beats : ``In(stream.Signature(data.StructLayout({"data": plan.input_width, "last": 1})))``
        One beat per cycle, until a beat needs a plane that is not free.
    words : ``Out(stream.Signature(plan.word_pixels))``
    disordered : ``Out(1)``
        A beat is dropped whose t is earlier than that of a previous beat of its sample.
    """

    plan = Parameter(EncoderPlan)

    def __init__(self, *, plan: EncoderPlan) -> None:
        self.plan = plan
        beat = data.StructLayout({"data": unsigned(plan.input_width), "last": 1})
        super().__init__(
            {
                "beats": In(stream.Signature(beat)),
                "words": Out(stream.Signature(plan.word_pixels)),
                "disordered": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        width, depth = plan.word_pixels, plan.plane_depth
        timesteps = plan.output.timesteps

        clearing = Signal(init=1)  # after a reset, both planes

        # Two stages: register the beat, then decode it.
        beat = Signal(self.beats.payload.shape(), reset_less=True)
        beat_valid = Signal()
        event = Signal(
            data.StructLayout(
                {
                    "sets_bit": 1,
                    "advances": 1,  # its t counts
                    "last": 1,
                    "t": range(timesteps),
                    "address": range(depth),
                    "mask": width,
                }
            ),
            reset_less=True,
        )
        event_valid = Signal()
        take = Signal()
        move = Signal()
        m.d.comb += [
            move.eq(~event_valid | take),
            self.beats.ready.eq((~beat_valid | move) & ~clearing),
        ]
        with m.If(move):
            m.d.sync += event_valid.eq(beat_valid)
            self._decode(m, beat, event)
        with m.If(self.beats.ready):
            m.d.sync += [beat_valid.eq(self.beats.valid), beat.eq(self.beats.payload)]

        # When the plane of the other side has been sent, a complete plane takes its turn.
        step = Signal(range(timesteps))
        ending = Signal()  # the last event has arrived: complete the remaining planes
        side = Signal()  # the plane that collects
        sending = Signal()
        swap = Signal()
        updates = Signal(2)  # words in flight to the plane that collects
        here = Signal()
        later = Signal()
        m.d.comb += [
            here.eq(event.sets_bit & (event.t == step)),
            later.eq(event.advances & (event.t > step)),
            take.eq(event_valid & ~ending & ~later),
            self.disordered.eq(take & event.advances & (event.t < step)),
            swap.eq((ending | (event_valid & later)) & ~sending & ~updates.any()),
        ]
        with m.If(take & event.last):
            m.d.sync += ending.eq(1)
        with m.If(swap):
            m.d.sync += [side.eq(~side), sending.eq(1), step.eq(step + 1)]
            with m.If(step == timesteps - 1):
                m.d.sync += [step.eq(0), ending.eq(0)]

        # Send each word of the plane in the order of the stream.
        m.submodules.fifo = fifo = CreditFifo(shape=unsigned(width))
        wiring.connect(m, fifo.words, wiring.flipped(self.words))
        send = Signal()
        address, sent = self._walk(m, send)
        m.d.comb += [send.eq(sending & fifo.credit), fifo.reserve.eq(send)]
        with m.If(sent):
            m.d.sync += sending.eq(0)

        # Collect: read, set, write. An event for a word in flight is merged into it.
        word = data.StructLayout({"address": range(depth), "mask": width})
        reading, writing = Signal(word, reset_less=True), Signal(word, reset_less=True)
        stored = Signal(width, reset_less=True)
        merges_reading, merges_writing, begin = Signal(), Signal(), Signal()
        m.d.comb += [
            merges_reading.eq(take & here & updates[0] & (reading.address == event.address)),
            merges_writing.eq(take & here & updates[1] & (writing.address == event.address)),
            begin.eq(take & here & ~merges_reading & ~merges_writing),
        ]
        m.d.sync += [
            updates.eq(updates << 1 | begin),
            reading.address.eq(event.address),
            reading.mask.eq(event.mask),
            writing.address.eq(reading.address),
            writing.mask.eq(reading.mask | Mux(merges_reading, event.mask, 0)),
        ]
        collected = stored | writing.mask | Mux(merges_writing, event.mask, 0)

        # The memories of both planes.
        pushes = Signal(2)
        sent_address = Signal(range(depth), reset_less=True)
        sent_word = Signal(width, reset_less=True)
        m.d.sync += [pushes.eq(pushes << 1 | send), sent_address.eq(address)]
        m.d.comb += [fifo.push.eq(pushes[1]), fifo.push_data.eq(sent_word)]
        clear = Signal(range(depth))
        m.d.sync += clear.eq(clear + 1)
        with m.If(clear == depth - 1):
            m.d.sync += clearing.eq(0)
        for n in range(2):
            m.submodules[f"plane_{n}"] = memory = block_memory(shape=unsigned(width), depth=depth)
            read_port, write_port = memory.read_port(), memory.write_port()
            with m.If(side == n):
                m.d.sync += stored.eq(read_port.data)
                m.d.comb += [
                    read_port.addr.eq(event.address),
                    write_port.addr.eq(writing.address),
                    write_port.data.eq(collected),
                    write_port.en.eq(updates[1]),
                ]
            with m.Else():
                m.d.sync += sent_word.eq(read_port.data)
                m.d.comb += [
                    read_port.addr.eq(address),
                    write_port.addr.eq(sent_address),
                    write_port.en.eq(pushes[0]),
                ]
            with m.If(clearing):
                m.d.comb += [write_port.addr.eq(clear), write_port.data.eq(0), write_port.en.eq(1)]
        return m

    def _decode(self, m: Module, beat: Value, event: Value) -> None:
        """Register the event that ``beat`` holds."""
        plan = self.plan
        output = plan.output
        channels, rows, columns = output.shape
        sizes = {"x": columns, "y": rows, "channel": channels}
        fields = {
            name: beat.data[low : low + bits] for name, (low, bits) in plan.event_fields.items()
        }
        inside = Signal()
        in_time = Signal()
        m.d.comb += [
            inside.eq(Cat(fields[name] < size for name, size in sizes.items()).all()),
            in_time.eq(fields["t"] < output.timesteps),
        ]
        m.d.sync += [
            event.sets_bit.eq(inside & in_time & ~fields["null"]),
            event.advances.eq((inside | fields["null"]) & in_time),
            event.last.eq(beat.last),
            event.t.eq(fields["t"]),
        ]
        if output.layout == WordLayout.PIXEL:
            bits = (columns - 1).bit_length()
            m.d.sync += [
                event.address.eq(Cat(fields["x"][:bits], fields["y"])),
                event.mask.eq(1 << fields["channel"]),
            ]
            return
        position = Signal(range(channels * rows * columns))
        bits = plan.word_pixels.bit_length() - 1
        m.d.comb += position.eq(
            _times(fields["y"], columns * channels)
            + _times(fields["x"], channels)
            + fields["channel"]
        )
        m.d.sync += [event.address.eq(position[bits:]), event.mask.eq(1 << position[:bits])]

    def _walk(self, m: Module, send: Value) -> tuple[Value, Value]:
        """(address of the next word to send, whether this cycle sends the plane's last word)."""
        plan = self.plan
        if plan.output.layout == WordLayout.RASTER:
            axis = step_axes(m, send, [("send_word", plan.plane_depth)])["send_word"]
            return axis.count, axis.end
        _, rows, columns = plan.output.shape
        axes = step_axes(m, send, [("send_x", columns), ("send_y", rows)])
        bits = (columns - 1).bit_length()
        return Cat(axes["send_x"].count[:bits], axes["send_y"].count), axes["send_y"].end


def _times(value: Value, factor: int) -> Value:
    """``value`` times a constant ``factor``, by shifts and sums."""
    return sum(value << n for n in range(factor.bit_length()) if factor >> n & 1)
