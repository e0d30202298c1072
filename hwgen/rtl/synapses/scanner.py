"""The spike scanner: from chunks of spike bits to the weight row of each spike."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.credit_fifo import CreditFifo
from hwgen.rtl.synapses.priority_encoder import clear_lowest, encode_lowest


def chunk_layout(width: int, depth: int) -> data.Layout:
    """One scanner's slice of a chunk of a window.

    ``bits``
        The spikes.
    ``base``
        Weight row of bit 0, of ``depth`` rows.
    ``last``
        The chunk ends its window.
    ``two_or_more``
        At least two bits are set; valid only for a path with scanners.
    """
    return data.StructLayout(
        {"bits": unsigned(width), "base": range(depth), "last": 1, "two_or_more": 1}
    )


def spike_index_layout(depth: int) -> data.Layout:
    """A spike index: the spike's weight row, one of ``depth``, and whether it ends its window.

    ``present`` is 0 for a placeholder without a spike, from an all-zero chunk.
    """
    return data.StructLayout({"row": range(depth), "present": 1, "last": 1})


class SpikeScanner(wiring.Component):
    """Turns a chunk of spike bits into the weight row of each set bit, lowest bit first.

    A chunk with n set bits takes max(1, n) cycles.

    Members
    -------
    chunks : ``In(stream.Signature(chunk_layout(chunk_width, depth)))``
    spikes : ``Out(stream.Signature(spike_index_layout(depth)))``
        Four cycles after the chunk; ``last`` is set on the window's last index. A FIFO of fifteen
        slots evens out windows of different lengths.
    busy : ``Out(1)``
        A chunk is being scanned.
    """

    chunk_width = Parameter.positive()
    """Bits of a chunk."""
    depth = Parameter.positive()
    """Rows of the weight memory."""

    def __init__(self, *, chunk_width: int, depth: int) -> None:
        self.chunk_width, self.depth = chunk_width, depth
        members = {
            "chunks": In(stream.Signature(chunk_layout(chunk_width, depth))),
            "spikes": Out(stream.Signature(spike_index_layout(depth))),
            "busy": Out(1),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.fifo = fifo = CreditFifo(shape=spike_index_layout(self.depth))
        valid = Signal()
        chunk = Signal.like(self.chunks.payload, reset_less=True)
        step = Signal()
        load = Signal()
        code = encode_lowest(m, chunk.bits)
        # A register, because the logic that loads the next chunk waits for it.
        two_or_more = Signal(reset_less=True)
        m.d.comb += [
            step.eq(valid & fifo.credit),
            load.eq(~valid | (step & ~two_or_more)),
            self.chunks.ready.eq(load),
            fifo.reserve.eq(step),
            self.busy.eq(valid),
        ]
        with m.If(load):
            m.d.sync += [
                valid.eq(self.chunks.valid),
                chunk.eq(self.chunks.payload),
                two_or_more.eq(self.chunks.payload.two_or_more),
            ]
        with m.If(step & two_or_more):
            m.d.sync += [
                chunk.bits.eq(clear_lowest(m, code, chunk.bits)),
                two_or_more.eq(code.three_or_more),
            ]

        # The spike's row is the base of its chunk plus the index of its bit.
        stepped = Signal()
        index = Signal.like(code.index, reset_less=True)
        spike = Signal(spike_index_layout(self.depth), reset_less=True)
        m.d.sync += [
            stepped.eq(step),
            index.eq(code.index),
            spike.row.eq(chunk.base),
            spike.present.eq(code.some),
            spike.last.eq(chunk.last & ~two_or_more),
            fifo.push.eq(stepped),
            fifo.push_data.eq(spike),
            fifo.push_data.row.eq(spike.row + index),
        ]
        wiring.connect(m, fifo.words, wiring.flipped(self.spikes))
        return m
