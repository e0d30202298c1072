"""The terms of a softmax: looks up each class's distance from the maximum in a table."""

import itertools

import numpy as np
from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.latencies import SOFTMAX_TERM
from hwgen.plan.units.softmax import SoftmaxPlan
from hwgen.rtl.memory import block_memory, read_only_memory
from hwgen.rtl.parameters import Parameter


def terms_signature(plan: SoftmaxPlan) -> wiring.Signature:
    """The terms of one timestep, as their reader sees them.

    Members
    -------
    valid : ``In(1)``
        The terms are complete, until ``done``.
    total : ``In(plan.sum_width)``
        Their sum, in the first cycle with ``valid`` and in the first one after ``done``.
    address : ``Out(range(plan.classes))``
    entry : ``In(plan.entry_width)``
        The term of the class at ``address``, one cycle later.
    done : ``Out(1)``
        The terms are no longer needed.
    """
    return wiring.Signature(
        {
            "valid": In(1),
            "total": In(plan.sum_width),
            "address": Out(range(plan.classes)),
            "entry": In(plan.entry_width),
            "done": Out(1),
        }
    )


def require_entries(plan: SoftmaxPlan, table: np.ndarray) -> None:
    """Raise ValueError unless ``table`` has the length that ``plan`` was made for."""
    if len(table) != plan.entries:
        raise ValueError(f"table must have {plan.entries} entries, not {len(table)}")


class SoftmaxTerms(wiring.Component):
    """Collects a timestep's membranes, finds the maximum, and looks up the term of each.

    It takes one class per cycle, and then looks one up per cycle. Terms go into one of two banks,
    so that the next timestep is looked up while the previous one is read.

    Members
    -------
    membranes : ``In(stream.Signature(word_layout))``
    terms : ``In(terms_signature(plan))``
    """

    plan = Parameter(SoftmaxPlan)
    word_layout = Parameter(data.ArrayLayout)
    table = Parameter(np.ndarray)
    """As for :class:`hwgen.rtl.output.softmax.SoftmaxUnit`."""

    def __init__(
        self, *, plan: SoftmaxPlan, word_layout: data.ArrayLayout, table: np.ndarray
    ) -> None:
        self.plan = plan
        self.word_layout = word_layout
        self.table = table
        require_entries(plan, table)
        super().__init__(
            {"membranes": In(stream.Signature(word_layout)), "terms": In(terms_signature(plan))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        classes = self.plan.classes
        shape = self.word_layout.elem_shape
        m.submodules.membranes = memory = block_memory(shape=shape, depth=classes)
        read_port = memory.read_port()
        collecting, collected = Signal(), Signal()
        scanning, used = Signal(), Signal(2)  # banks that are written or read
        bank, index = Signal(), Signal(range(classes))
        with m.FSM():
            with m.State("collect"):
                m.d.comb += collecting.eq(1)
                with m.If(collected):
                    m.next = "settle"
            with m.State("settle"), m.If(~used.bit_select(bank, 1)):
                m.next = "scan"
            with m.State("scan"):
                m.d.comb += scanning.eq(1)
                m.d.sync += [index.eq(index + 1), used.bit_select(bank, 1).eq(1)]
                with m.If(index == classes - 1):
                    m.d.sync += [index.eq(0), bank.eq(~bank)]
                    m.next = "collect"
        largest = self._collect(m, memory.write_port(), collecting, collected)
        m.d.comb += read_port.addr.eq(index)
        entry, position = self._look_up(m, read_port.data, largest, scanning, bank, index)
        self._store(m, entry, position, used)
        return m

    def _collect(self, m: Module, write_port: Value, collecting: Value, collected: Value) -> Value:
        """Store one membrane per cycle; returns the maximum, two cycles later."""
        lanes, shape = self.word_layout.length, self.word_layout.elem_shape
        words = self.membranes
        lane, taken = Signal(range(lanes)), Signal(range(self.plan.classes))
        take, final = Signal(), Signal()
        value, position = Signal(shape, reset_less=True), Signal.like(taken, reset_less=True)
        written = Signal()
        largest = Signal(shape, reset_less=True)
        m.d.comb += [
            final.eq(taken == self.plan.classes - 1),
            take.eq(collecting & words.valid),
            words.ready.eq(collecting & (final | (lane == lanes - 1))),
            collected.eq(take & final),
            write_port.addr.eq(position),
            write_port.data.eq(value),
            write_port.en.eq(written),
        ]
        m.d.sync += [written.eq(take), position.eq(taken)]
        with m.If(take):
            m.d.sync += [lane.eq(lane + 1), taken.eq(taken + 1)]
            with m.If(lane == lanes - 1):
                m.d.sync += lane.eq(0)
            with m.If(final):
                m.d.sync += [lane.eq(0), taken.eq(0)]
        with m.Switch(lane):
            for n in range(lanes):
                with m.Case(n):
                    m.d.sync += value.eq(words.payload[n])
        with m.If(written & ((position == 0) | (value > largest))):
            m.d.sync += largest.eq(value)
        return largest

    def _look_up(
        self, m: Module, membrane: Value, largest: Value, scanning: Value, bank: Value, index: Value
    ) -> tuple[Value, Value]:
        """The entry of each class and its position, ``SOFTMAX_TERM`` cycles after ``scanning``."""
        plan = self.plan
        layout = data.StructLayout({"valid": 1, "bank": 1, "index": range(plan.classes), "last": 1})
        positions = [Signal(layout, name=f"position_{n}") for n in range(SOFTMAX_TERM + 1)]
        m.d.comb += [
            positions[0].valid.eq(scanning),
            positions[0].bank.eq(bank),
            positions[0].index.eq(index),
            positions[0].last.eq(index == plan.classes - 1),
        ]
        m.d.sync += [later.eq(before) for before, later in itertools.pairwise(positions)]

        below = Signal(plan.below_width, reset_less=True)
        steps = Signal(max(1, plan.below_width - plan.shift))
        row = Signal(range(plan.entries), reset_less=True)
        entry = Signal(plan.entry_width, reset_less=True)
        m.submodules.table = table = read_only_memory(
            shape=unsigned(plan.entry_width), rows=self.table.tolist()
        )
        port = table.read_port()
        m.d.comb += [steps.eq(below >> plan.shift), port.addr.eq(row)]
        m.d.sync += [
            below.eq(largest - membrane),
            row.eq(Mux(steps > plan.entries - 1, plan.entries - 1, steps)),
            entry.eq(port.data),
        ]
        return entry, positions[SOFTMAX_TERM]

    def _store(self, m: Module, entry: Value, position: Value, used: Value) -> None:
        """Store the terms in their bank and sum them."""
        plan, terms = self.plan, self.terms
        m.submodules.entries = memory = block_memory(
            shape=unsigned(plan.entry_width), depth=2 * plan.classes
        )
        write_port, read_port = memory.write_port(), memory.read_port()
        full, reads = Signal(2), Signal()
        total = Signal(plan.sum_width, reset_less=True)
        first = position.index == 0
        m.d.comb += [
            write_port.addr.eq(position.index << 1 | position.bank),
            write_port.data.eq(entry),
            write_port.en.eq(position.valid),
            read_port.addr.eq(terms.address << 1 | reads),
            terms.entry.eq(read_port.data),
            terms.valid.eq(full.bit_select(reads, 1)),
            terms.total.eq(total),
        ]
        with m.If(position.valid):
            m.d.sync += total.eq(Mux(first, 0, total) + entry)
            with m.If(position.last):
                m.d.sync += full.bit_select(position.bank, 1).eq(1)
        with m.If(terms.done):
            m.d.sync += [
                full.bit_select(reads, 1).eq(0),
                used.bit_select(reads, 1).eq(0),
                reads.eq(~reads),
            ]
