"""The synapse array: a weight row per spike, added into one accumulator a lane."""

from amaranth import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.scanner import event_layout
from hwgen.rtl.weights import WeightMemory


class SynapseArray(wiring.Component):
    """Sums the weight rows of a window's events into ``lanes`` currents.

    Every scanner has its own weight memory and brings an event a cycle; at the end of a window
    they wait for each other. A window's last events are taken once the currents of the window
    before have left, so nothing behind them ever has to stop.

    Parameters
    ----------
    rows : integer array, shape (scanners, depth, lanes)
    weight_bits : :class:`int`
    current_width : :class:`int`
        Bits that hold every partial sum.
    files : sequence of :class:`str` or None
        File of each scanner's rows; None keeps them in the Verilog.

    Members
    -------
    events : ``In(stream.Signature(event_layout(depth))).array(scanners)``
    currents : ``Out(stream.Signature(data.ArrayLayout(signed(current_width), lanes)))``
        ``latency`` cycles after the window's last events.
    stall : ``Out(1)``
        A window's last events wait for the currents of the window before.
    """

    def __init__(self, *, rows, weight_bits, current_width, files=None):
        scanners, depth, lanes = rows.shape
        self._memories = [
            WeightMemory(rows=rows[n], weight_bits=weight_bits, file=files[n] if files else None)
            for n in range(scanners)
        ]
        self._scanners = scanners
        self._lanes = lanes
        self._current_width = current_width
        super().__init__(
            {
                "events": In(stream.Signature(event_layout(depth))).array(scanners),
                "currents": Out(
                    stream.Signature(data.ArrayLayout(signed(current_width), lanes))
                ),
                "stall": Out(1),
            }
        )

    @property
    def memories(self):
        return self._memories

    @property
    def latency(self):
        return latency(self._scanners)

    def elaborate(self, platform):
        m = Module()
        lanes, width = self._lanes, self._current_width
        layout = data.ArrayLayout(signed(width), lanes)

        # A window is in flight from its last events until its currents are taken.
        in_flight = Signal()
        taken = Signal()
        waiting = Signal(self._scanners)  # scanners that hold their last event
        last = Signal()
        m.d.comb += [
            taken.eq(self.currents.valid & self.currents.ready),
            last.eq(waiting.all() & ~in_flight),
            self.stall.eq(waiting.all() & in_flight),
        ]
        with m.If(last):
            m.d.sync += in_flight.eq(1)
        with m.Elif(taken):
            m.d.sync += in_flight.eq(0)

        # Weights: a scanner without an event adds zeros.
        terms = []
        for index, (events, memory) in enumerate(zip(self.events, self._memories, strict=True)):
            m.submodules[f"weights_{index}"] = memory
            hits = Signal(2, name=f"hits_{index}")
            read = Signal.like(memory.row, name=f"read_{index}", reset_less=True)
            row = Signal.like(memory.row, name=f"row_{index}", reset_less=True)
            m.d.comb += [
                waiting[index].eq(events.valid & events.payload.last),
                events.ready.eq(~events.payload.last | last),
                memory.address.eq(events.payload.address),
            ]
            # The first register stands by the memory, the second by the adders. The second is
            # cleared by a synchronous reset, which costs no logic.
            m.d.sync += [
                hits.eq(hits << 1 | (events.valid & events.ready & events.payload.hit)),
                read.eq(memory.row),
                row.eq(read),
            ]
            with m.If(~hits[1]):
                m.d.sync += row.as_value().eq(0)
            terms.append([row[lane] for lane in range(lanes)])

        def partial():
            return Signal(signed(width), name="partial", reset_less=True)

        # Sum over scanners, two at a time.
        lasts = [last]
        for _ in range(3):
            lasts.append(_delay(m, lasts[-1]))
        while len(terms) > 1:
            sums = []
            for pair in zip(terms[::2], terms[1::2], strict=False):
                added = [partial() for _ in range(lanes)]
                m.d.sync += [a.eq(x + y) for a, x, y in zip(added, *pair, strict=True)]
                sums.append(added)
            if len(terms) % 2:
                held = [partial() for _ in range(lanes)]
                m.d.sync += [h.eq(x) for h, x in zip(held, terms[-1], strict=True)]
                sums.append(held)
            terms = sums
            lasts.append(_delay(m, lasts[-1]))

        # Accumulate. The last sum goes straight out and the accumulator starts again, as it does
        # until the terms that a reset left on their way have passed.
        passing = Signal(len(lasts) - 3, init=-1)
        m.d.sync += passing.eq(passing >> 1)
        total = Signal(layout, reset_less=True)
        summed = Signal(layout)
        # Reset reaches what tells whether data is there, not the data: its net is long enough.
        currents = Signal(layout, reset_less=True)
        m.d.comb += self.currents.payload.eq(currents)
        for lane in range(lanes):
            m.d.comb += summed[lane].eq(total[lane] + terms[0][lane])
            m.d.sync += total[lane].eq(summed[lane])
        with m.If(lasts[-1] | passing[0]):
            m.d.sync += total.as_value().eq(0)
        with m.If(lasts[-1]):
            m.d.sync += currents.eq(summed)
        with m.If(taken):
            m.d.sync += self.currents.valid.eq(0)
        with m.If(lasts[-1]):
            m.d.sync += self.currents.valid.eq(1)
        return m


def latency(scanners):
    """Cycles from a window's last events to its currents."""
    return 4 + (scanners - 1).bit_length()


def _delay(m, signal):
    delayed = Signal()
    m.d.sync += delayed.eq(signal)
    return delayed
