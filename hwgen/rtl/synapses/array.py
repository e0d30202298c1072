"""The synapse array: a weight row per spike, added into one accumulator a lane."""

from dataclasses import dataclass

import numpy as np
from amaranth import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.widths import signed_width
from hwgen.rtl.synapses.scanner import spike_index_layout
from hwgen.rtl.synapses.weight_memory import WeightMemory

note_layout = data.StructLayout({"first": 1, "plane_end": 1, "pass_end": 1})
"""Where in its pass a window stands: in the first timestep, last of its timestep, last of all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Feed:
    """One source of events, with the weight rows that they choose.

    Parameters
    ----------
    rows : integer array, shape (depth, lanes)
    masked : bool
        Each event says which lanes of its row count: identity projections and depthwise
        convolutions, where a spike reaches only the lane of its own channel.
    file : str or None
        File that holds the rows; None keeps them in the Verilog.
    memory : str
        Where they lie: "block", "lut", "split" or "auto" (:mod:`hwgen.plan.units.memories`).
    """

    rows: np.ndarray
    masked: bool = False
    file: str | None = None
    memory: str = "auto"

    @property
    def depth(self) -> int:
        return len(self.rows)


def masked_layout(depth, lanes):
    """An event of a masked feed: its row, taken in the lanes whose bit in ``mask`` is 1."""
    return data.StructLayout({"address": range(depth), "mask": unsigned(lanes), "last": 1})


def currents_signature(width, lanes):
    """Windows' currents on their way to the membrane unit.

    Members
    -------
    grant : ``In(1)``
        A window's last events may be taken in this cycle.
    note : ``In(note_layout)``
        Goes along with the window whose last events were taken in the cycle before.
    start : ``Out(1)``
        They are taken.
    valid : ``Out(1)``
        In the first cycle of a window's ``values`` and ``noted``, a fixed time after ``start``.
    values : ``Out(data.ArrayLayout(signed(width), lanes))``
        Stay until the next window's.
    noted : ``Out(note_layout)``
    """
    return wiring.Signature(
        {
            "grant": In(1),
            "note": In(note_layout),
            "start": Out(1),
            "valid": Out(1),
            "values": Out(data.ArrayLayout(signed(width), lanes)),
            "noted": Out(note_layout),
        }
    )


class SynapseArray(wiring.Component):
    """Sums the weight rows of a window's events into ``lanes`` currents.

    Every feed has its own weight memory and brings an event a cycle; all bring the same windows,
    and at the end of a window they wait for each other. A window's last events are taken when the
    membrane unit grants it, which then takes the currents as they come: nothing behind the events
    ever has to stop.

    Parameters
    ----------
    feeds : sequence of :class:`Feed`
        The scanners of all projections.
    lanes : :class:`int`
    weight_bits : :class:`int`
        Bits that hold every weight; a feed of smaller ones uses fewer.
    current_width : :class:`int`
        Bits that hold every partial sum.

    Members
    -------
    events_N : ``In(stream.Signature(spike_index_layout(depth)))``
        Of feed N; of a masked one with ``masked_layout(depth, lanes)``.
    currents : ``Out(currents_signature(current_width, lanes))``
        ``latency`` cycles after the window's last events.
    stall : ``Out(1)``
        A window's last events wait for the grant.
    """

    def __init__(self, *, feeds, lanes, weight_bits, current_width):
        self._feeds = tuple(feeds)
        self._lanes = lanes
        self._current_width = current_width
        self._memories = []
        events = {}
        for index, feed in enumerate(self._feeds):
            bits = signed_width(min(0, int(feed.rows.min())), max(0, int(feed.rows.max())))
            if feed.rows.shape[1] != lanes or bits > weight_bits:
                raise ValueError(
                    f"Feed {index} has rows of {feed.rows.shape[1]} × {bits} bits, "
                    f"not {lanes} × {weight_bits}"
                )
            self._memories.append(
                WeightMemory(rows=feed.rows, weight_bits=bits, file=feed.file, kind=feed.memory)
            )
            layout = (
                masked_layout(feed.depth, lanes) if feed.masked else spike_index_layout(feed.depth)
            )
            events[f"events_{index}"] = In(stream.Signature(layout))
        super().__init__(
            {
                **events,
                "currents": Out(currents_signature(current_width, lanes)),
                "stall": Out(1),
            }
        )

    @property
    def memories(self):
        return self._memories

    @property
    def latency(self):
        return latency(len(self._feeds))

    def elaborate(self, platform):
        m = Module()
        lanes, width = self._lanes, self._current_width
        layout = data.ArrayLayout(signed(width), lanes)

        waiting = Signal(len(self._feeds))  # feeds that hold their last event
        last = Signal()
        m.d.comb += [
            last.eq(waiting.all() & self.currents.grant),
            self.currents.start.eq(last),
            self.stall.eq(waiting.all() & ~self.currents.grant),
        ]
        terms = [
            self._read_rows(m, index, waiting[index], last) for index in range(len(self._feeds))
        ]

        # Sum over feeds, two at a time; a sum is as wide as its terms make it.
        started = Signal()
        m.d.sync += started.eq(last)
        lasts, notes = [started], [self.currents.note]
        for _ in range(2):
            _delay(m, lasts, notes)
        while len(terms) > 1:
            terms = [_add(m, terms[n : n + 2], width) for n in range(0, len(terms), 2)]
            _delay(m, lasts, notes)

        # Accumulate. The last sum goes straight out and the accumulator starts again, as it does
        # until the terms that a reset left on their way have passed.
        passing = Signal(len(lasts) - 2, init=-1)
        m.d.sync += passing.eq(passing >> 1)
        total = Signal(layout, reset_less=True)
        summed = Signal(layout)
        # Reset reaches what tells whether data is there, not the data: its net is long enough.
        currents = Signal(layout, reset_less=True)
        noted = Signal(note_layout, reset_less=True)
        m.d.comb += [self.currents.values.eq(currents), self.currents.noted.eq(noted)]
        for lane in range(lanes):
            m.d.comb += summed[lane].eq(total[lane] + terms[0][0][lane])
            m.d.sync += total[lane].eq(summed[lane])
        with m.If(lasts[-1] | passing[0]):
            m.d.sync += total.as_value().eq(0)
        m.d.sync += self.currents.valid.eq(lasts[-1])
        with m.If(lasts[-1]):
            m.d.sync += [currents.eq(summed), noted.eq(notes[-1])]
        return m

    def _read_rows(self, m, index, waiting, last):
        """The weights of a feed's event in each lane, three cycles after it, and their range."""
        feed, memory = self._feeds[index], self._memories[index]
        events = getattr(self, f"events_{index}")
        event = events.payload
        m.submodules[f"weights_{index}"] = memory
        take = Signal(name=f"take_{index}")
        row = Signal.like(memory.row, name=f"row_{index}", reset_less=True)
        m.d.comb += [
            waiting.eq(events.valid & event.last),
            events.ready.eq(~event.last | last),
            take.eq(events.valid & events.ready),
            memory.address.eq(event.address),
        ]
        # Without an event a feed adds zeros. This register stands by the adders, another one by
        # the memory; it is cleared by a synchronous reset, which costs no logic.
        hit = Mux(take, event.mask, 0) if feed.masked else take & event.hit
        hits = [Signal(len(hit), name=f"hits_{index}_{stage}") for stage in range(2)]
        m.d.sync += [hits[0].eq(hit), hits[1].eq(hits[0]), row.eq(memory.row)]
        for lane in range(self._lanes):
            with m.If(~hits[1][lane if feed.masked else 0]):
                m.d.sync += row[lane].eq(0)
        low = np.minimum(feed.rows.min(axis=0), 0)
        high = np.maximum(feed.rows.max(axis=0), 0)
        return [row[lane] for lane in range(self._lanes)], low, high


def latency(feeds):
    """Cycles from a window's last events to its currents."""
    return 4 + (feeds - 1).bit_length()


def _add(m, terms, most):
    """The sum of one or two terms, a cycle later; each is the values of all lanes, their least
    and their greatest ones. ``most`` bits hold any sum."""
    values, lows, highs = zip(*terms, strict=True)
    low, high = sum(lows), sum(highs)
    sums = []
    for lane, addends in enumerate(zip(*values, strict=True)):
        width = min(most, signed_width(int(low[lane]), int(high[lane])))
        partial = Signal(signed(width), name="partial", reset_less=True)
        m.d.sync += partial.eq(sum(addends[1:], addends[0]))
        sums.append(partial)
    return sums, low, high


def _delay(m, lasts, notes):
    """Another stage for the end of a window and its note."""
    last = Signal(name="last")
    note = Signal(note_layout, name="note", reset_less=True)
    m.d.sync += [last.eq(lasts[-1]), note.eq(notes[-1])]
    lasts.append(last)
    notes.append(note)
