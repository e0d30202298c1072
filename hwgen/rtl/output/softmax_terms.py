"""The terms of a softmax: what the table holds for each class's distance from the greatest."""

import itertools

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.memories import BLOCK_ROWS

DEPTH = 5
"""Cycles from the read of a membrane to the write of its term."""


def terms_signature(plan):
    """The terms of a timestep, as their reader sees them.

    Members
    -------
    valid : ``In(1)``
        They are there, until ``done``.
    total : ``In(plan.sum_width)``
        Their sum, in the first cycle with ``valid`` and in the first one after ``done``.
    address : ``Out(range(plan.classes))``
    entry : ``In(plan.entry_width)``
        The term of the class that was at ``address`` a cycle before.
    done : ``Out(1)``
        They are needed no more.
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


class SoftmaxTerms(wiring.Component):
    """Collects a timestep's membranes, finds the greatest, and looks each one's term up.

    One class a cycle comes in, and then one a cycle is looked up. The terms go into one of two
    banks, so that they are found while those of the timestep before are read.

    Parameters
    ----------
    plan, word_layout, table
        See :class:`hwgen.rtl.output.softmax.SoftmaxUnit`.

    Members
    -------
    membranes : ``In(stream.Signature(word_layout))``
    terms : ``In(terms_signature(plan))``
    """

    def __init__(self, *, plan, word_layout, table):
        self._plan = plan
        self._word_layout = word_layout
        self._table = table
        super().__init__(
            {
                "membranes": In(stream.Signature(word_layout)),
                "terms": In(terms_signature(plan)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        classes = self._plan.classes
        shape = self._word_layout.elem_shape
        m.submodules.membranes = memory = Memory(
            shape=shape, depth=classes, init=[], attrs={"no_rw_check": 1}
        )
        read_port = memory.read_port()
        collecting, collected = Signal(), Signal()
        scanning, used = Signal(), Signal(2)  # banks of steps that are looked up or read
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
        best = self._collect(m, memory.write_port(), collecting, collected)
        m.d.comb += read_port.addr.eq(index)
        entry, place = self._look_up(m, read_port.data, best, scanning, bank, index)
        self._keep(m, entry, place, used)
        return m

    def _collect(self, m, write_port, collecting, collected):
        """A membrane a cycle into the memory; returns the greatest, two cycles later."""
        lanes, shape = self._word_layout.length, self._word_layout.elem_shape
        words = self.membranes
        lane, taken = Signal(range(lanes)), Signal(range(self._plan.classes))
        take, final = Signal(), Signal()
        value, place = Signal(shape, reset_less=True), Signal.like(taken, reset_less=True)
        written = Signal()
        best = Signal(shape, reset_less=True)
        m.d.comb += [
            final.eq(taken == self._plan.classes - 1),
            take.eq(collecting & words.valid),
            words.ready.eq(collecting & (final | (lane == lanes - 1))),
            collected.eq(take & final),
            write_port.addr.eq(place),
            write_port.data.eq(value),
            write_port.en.eq(written),
        ]
        m.d.sync += [written.eq(take), place.eq(taken)]
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
        with m.If(written & ((place == 0) | (value > best))):
            m.d.sync += best.eq(value)
        return best

    def _look_up(self, m, membrane, best, scanning, bank, index):
        """The entry of each class, and what goes with it, ``DEPTH`` cycles after ``scanning``."""
        plan = self._plan
        layout = data.StructLayout({"valid": 1, "bank": 1, "index": range(plan.classes), "last": 1})
        places = [Signal(layout, name=f"place_{n}") for n in range(DEPTH + 1)]
        m.d.comb += [
            places[0].valid.eq(scanning),
            places[0].bank.eq(bank),
            places[0].index.eq(index),
            places[0].last.eq(index == plan.classes - 1),
        ]
        m.d.sync += [later.eq(before) for before, later in itertools.pairwise(places)]

        below = Signal(plan.below_width, reset_less=True)
        steps = Signal(max(1, plan.below_width - plan.shift))
        row = Signal(range(plan.entries), reset_less=True)
        entry = Signal(plan.entry_width, reset_less=True)
        style = "block" if plan.entries >= BLOCK_ROWS else "logic"
        m.submodules.table = table = Memory(
            shape=unsigned(plan.entry_width),
            depth=plan.entries,
            init=[int(value) for value in self._table],
            attrs={"rom_style": style},
        )
        port = table.read_port()
        m.d.comb += [steps.eq(below >> plan.shift), port.addr.eq(row)]
        m.d.sync += [
            below.eq(best - membrane),
            row.eq(Mux(steps > plan.entries - 1, plan.entries - 1, steps)),
            entry.eq(port.data),
        ]
        return entry, places[DEPTH]

    def _keep(self, m, entry, place, used):
        """Terms into their bank, and their sum."""
        plan, terms = self._plan, self.terms
        m.submodules.entries = memory = Memory(
            shape=unsigned(plan.entry_width),
            depth=2 * plan.classes,
            init=[],
            attrs={"no_rw_check": 1},
        )
        write_port, read_port = memory.write_port(), memory.read_port()
        full, reads = Signal(2), Signal()
        total = Signal(plan.sum_width, reset_less=True)
        first = place.index == 0
        m.d.comb += [
            write_port.addr.eq(place.index << 1 | place.bank),
            write_port.data.eq(entry),
            write_port.en.eq(place.valid),
            read_port.addr.eq(terms.address << 1 | reads),
            terms.entry.eq(read_port.data),
            terms.valid.eq(full.bit_select(reads, 1)),
            terms.total.eq(total),
        ]
        with m.If(place.valid):
            m.d.sync += total.eq(Mux(first, 0, total) + entry)
            with m.If(place.last):
                m.d.sync += full.bit_select(place.bank, 1).eq(1)
        with m.If(terms.done):
            m.d.sync += [
                full.bit_select(reads, 1).eq(0),
                used.bit_select(reads, 1).eq(0),
                reads.eq(~reads),
            ]
