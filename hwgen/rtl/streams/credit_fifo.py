"""A small FIFO with credit-based flow control: a slot is reserved before its word arrives."""

from amaranth import Cat, Module, Signal
from amaranth.hdl import ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.latencies import CREDIT_FIFO_DEPTH
from hwgen.rtl.parameters import Parameter

FEEDBACK_TAPS = {3: (1, 0), 7: (2, 1), 15: (3, 2), 31: (4, 2)}
"""Taps of the shift register of each :class:`SlotCounter` (Xilinx XAPP052, table 3), by depth."""


class SlotCounter(wiring.Component):
    """Cycles through the slots of a small memory with a shift register: one LUT at any size.

    It visits each word of 2, 3, 4 or 5 bits once; one more term in the feedback adds the all-zero
    word to the usual maximum-length sequence.

    Members
    -------
    step : ``In(1)``
    index : ``Out(range(depth + 1))``
    before : ``Out(range(depth + 1))``
        The index before this one.
    """

    depth = Parameter(int, rule="3, 7, 15 or 31", accepts=FEEDBACK_TAPS.__contains__)
    """The counter visits ``depth + 1`` slots."""

    def __init__(self, *, depth: int) -> None:
        self.depth = depth
        super().__init__(
            {"step": In(1), "index": Out(range(depth + 1)), "before": Out(range(depth + 1))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        high, low = FEEDBACK_TAPS[self.depth]
        left = Signal(init=1)
        feedback = self.index[high] ^ self.index[low] ^ (self.index[:-1] == 0)
        m.d.comb += self.before.eq(Cat(self.index[1:], left))
        with m.If(self.step):
            m.d.sync += Cat(self.index, left).eq(Cat(feedback, self.index))
        return m


class CreditFifo(wiring.Component):
    """FIFO at the end of a pipeline that cannot stall.

    The producer reserves a slot when work enters the pipeline, so that every word finds one when
    it arrives. A word pushed in cycle n can be read from cycle n + 1 on.

    Members
    -------
    credit : ``Out(1)``
        A slot can be reserved.
    reserve : ``In(1)``
        Reserves a slot; only while ``credit``.
    push : ``In(1)``
        Stores ``push_data`` in a reserved slot.
    push_data : ``In(shape)``
    words : ``Out(stream.Signature(shape))``
    """

    shape = Parameter.shape()
    """Shape of a word."""
    depth = Parameter(int, rule="3, 7, 15 or 31", accepts=FEEDBACK_TAPS.__contains__)

    def __init__(self, *, shape: ShapeLike, depth: int = CREDIT_FIFO_DEPTH) -> None:
        self.shape, self.depth = shape, depth
        members = {
            "credit": Out(1),
            "reserve": In(1),
            "push": In(1),
            "push_data": In(shape),
            "words": Out(stream.Signature(shape)),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=self.shape, depth=self.depth + 1, init=[])
        write_port = memory.write_port()
        read_port = memory.read_port(domain="comb")
        # One slot of the memory stays free, so that equal indices mean that the FIFO is empty.
        m.submodules.reserved = reserved = SlotCounter(depth=self.depth)
        m.submodules.pushed = pushed = SlotCounter(depth=self.depth)
        m.submodules.popped = popped = SlotCounter(depth=self.depth)
        m.d.comb += [
            self.credit.eq(reserved.index != popped.before),
            reserved.step.eq(self.reserve),
            pushed.step.eq(self.push),
            popped.step.eq(self.words.valid & self.words.ready),
            self.words.valid.eq(pushed.index != popped.index),
            write_port.addr.eq(pushed.index),
            write_port.data.eq(self.push_data),
            write_port.en.eq(self.push),
            read_port.addr.eq(popped.index),
            self.words.payload.eq(read_port.data),
        ]
        return m
