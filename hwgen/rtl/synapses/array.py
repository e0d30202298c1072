"""The synapse array: sums the weight rows of spikes, one accumulator per lane."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units import latencies
from hwgen.plan.units.memories import MemoryKind
from hwgen.plan.units.widths import signed_width
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.synapses.currents import currents_signature, position_tag_layout
from hwgen.rtl.synapses.scanner import spike_index_layout
from hwgen.rtl.synapses.silence import count_silence
from hwgen.rtl.synapses.weight_memory import WeightMemory

Term = tuple[list[Value], np.ndarray, np.ndarray]
"""A value per lane, with the minimum and the maximum of each."""


def masked_layout(depth: int, lanes: int) -> data.Layout:
    """A weight row, and the lanes that it is added to: those whose bit in ``mask`` is set."""
    return data.StructLayout({"row": range(depth), "mask": unsigned(lanes), "last": 1})


@dataclass(frozen=True, kw_only=True, eq=False)
class SynapseInput:
    """A stream of spike indices, and the weight rows that it selects.

    ``rows`` has the shape (depth, lanes); ``file`` holds them, or the Verilog if it is None. With
    ``masked``, each spike index carries a mask of the lanes that it reaches: identity projections
    and depthwise convolutions, where a spike reaches only the lane of its own channel. The stream
    has no spike indices for the windows of the first ``silent_steps`` timesteps of each pass.
    """

    rows: np.ndarray
    masked: bool = False
    file: str | None = None
    memory: MemoryKind = MemoryKind.AUTO
    silent_steps: int = 0

    @property
    def depth(self) -> int:
        return len(self.rows)

    @property
    def layout(self) -> data.Layout:
        """Payload of the stream."""
        if self.masked:
            return masked_layout(self.depth, self.rows.shape[1])
        return spike_index_layout(self.depth)

    @property
    def weight_bits(self) -> int:
        """Bits that hold every weight."""
        return signed_width(min(0, int(self.rows.min())), max(0, int(self.rows.max())))


class SynapseArray(wiring.Component):
    """Sums the weight rows of a window's spikes into ``lanes`` currents.

    Each input has its own weight memory and delivers one spike index per cycle. All inputs deliver
    the same windows and wait for each other at the end of each, but not for an input in its silent
    timesteps. The last spike indices of a window are taken when the membrane unit grants it; the
    membrane unit then accepts the currents when they arrive, so that nothing after the spike
    indices ever stalls.

    Members
    -------
    spikes_N : ``In(stream.Signature(inputs[N].layout))``
    currents : ``Out(currents_signature(current_width, lanes))``
        ``latency`` cycles after the window's last spike indices.
    stall : ``Out(1)``
        The last spike indices of a window wait for the grant.
    """

    inputs = Parameter[tuple[SynapseInput, ...]](tuple)
    """The scanners of all projections."""
    lanes = Parameter.positive()
    weight_bits = Parameter.positive()
    """Bits that hold every weight; an input with smaller weights uses fewer."""
    current_width = Parameter.positive()
    """Bits that hold every partial sum."""
    windows = Parameter.positive()
    """Windows of a timestep; only silent timesteps are counted."""
    timesteps = Parameter.positive()
    """Timesteps of a pass."""

    def __init__(
        self,
        *,
        inputs: Sequence[SynapseInput],
        lanes: int,
        weight_bits: int,
        current_width: int,
        windows: int = 1,
        timesteps: int = 1,
    ) -> None:
        self.lanes = lanes
        self.weight_bits = weight_bits
        self.current_width = current_width
        self.windows = windows
        self.timesteps = timesteps
        for index, source in enumerate(inputs):
            if source.rows.shape[1] != lanes or source.weight_bits > weight_bits:
                raise ValueError(
                    f"input {index} has rows of {source.rows.shape[1]} × {source.weight_bits} bits,"
                    f" not {lanes} × {weight_bits}"
                )
        silent = [source.silent_steps for source in inputs]
        if min(silent) != 0 or max(silent) >= timesteps:
            raise ValueError(
                f"silent_steps {silent} must be 0 for one input, and below {timesteps} timesteps"
            )
        self.inputs = tuple(inputs)
        self.memories = tuple(
            WeightMemory(
                rows=source.rows,
                weight_bits=source.weight_bits,
                file=source.file,
                kind=source.memory,
            )
            for source in self.inputs
        )
        members = {
            **{
                f"spikes_{n}": In(stream.Signature(source.layout))
                for n, source in enumerate(self.inputs)
            },
            "currents": Out(currents_signature(current_width, lanes)),
            "stall": Out(1),
        }
        super().__init__(members)

    @property
    def latency(self) -> int:
        """Cycles from a window's last spike indices to its currents."""
        return latencies.synapse_array(len(self.inputs))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes, width = self.lanes, self.current_width
        layout = data.ArrayLayout(signed(width), lanes)

        at_end = Signal(len(self.inputs))  # inputs that offer the last spike index of a window
        last = Signal()
        m.d.comb += [
            last.eq(at_end.all() & self.currents.grant),
            self.currents.start.eq(last),
            self.stall.eq(at_end.all() & ~self.currents.grant),
        ]
        silent = count_silence(
            m,
            last,
            [source.silent_steps for source in self.inputs],
            windows=self.windows,
            timesteps=self.timesteps,
        )
        terms = [
            self._read_rows(m, index, at_end[index], last, silent[index])
            for index in range(len(self.inputs))
        ]

        # A tree of adders over the inputs; each sum is only as wide as its terms require.
        started = Signal()
        m.d.sync += started.eq(last)
        lasts, tags = [started], [self.currents.tag_in]
        for _ in range(2):
            _delay(m, lasts, tags)
        while len(terms) > 1:
            terms = [_add(m, terms[n : n + 2], width) for n in range(0, len(terms), 2)]
            _delay(m, lasts, tags)

        # Accumulate. The last sum of a window goes to the output and the accumulator is cleared.
        # After a reset it stays cleared until the terms that were in the pipeline have passed.
        flushing = Signal(len(lasts) - 2, init=-1)
        m.d.sync += flushing.eq(flushing >> 1)
        total = Signal(layout, reset_less=True)
        summed = Signal(layout)
        # Reset clears only the valid flags, not the data: its net has enough loads.
        currents = Signal(layout, reset_less=True)
        tag = Signal(position_tag_layout, reset_less=True)
        m.d.comb += [self.currents.values.eq(currents), self.currents.tag_out.eq(tag)]
        for lane in range(lanes):
            m.d.comb += summed[lane].eq(total[lane] + terms[0][0][lane])
            m.d.sync += total[lane].eq(summed[lane])
        with m.If(lasts[-1] | flushing[0]):
            m.d.sync += total.as_value().eq(0)
        m.d.sync += self.currents.valid.eq(lasts[-1])
        with m.If(lasts[-1]):
            m.d.sync += [currents.eq(summed), tag.eq(tags[-1])]
        return m

    def _read_rows(self, m: Module, index: int, at_end: Value, last: Value, silent: Value) -> Term:
        """The weights that a spike index selects, three cycles after it."""
        source, memory = self.inputs[index], self.memories[index]
        spikes = getattr(self, f"spikes_{index}")
        spike = spikes.payload
        m.submodules[f"weights_{index}"] = memory
        take = Signal(name=f"take_{index}")
        row = Signal.like(memory.row, name=f"row_{index}", reset_less=True)
        m.d.comb += [
            at_end.eq((spikes.valid & spike.last) | silent),
            spikes.ready.eq((~spike.last | last) & ~silent),
            take.eq(spikes.valid & spikes.ready),
            memory.address.eq(spike.row),
        ]
        # Without a spike an input adds zeros. This register lies beside the adders and another one
        # beside the memory; it is cleared by a synchronous reset, which costs no logic.
        enable = Mux(take, spike.mask, 0) if source.masked else take & spike.present
        enables = [Signal(len(enable), name=f"enables_{index}_{stage}") for stage in range(2)]
        m.d.sync += [enables[0].eq(enable), enables[1].eq(enables[0]), row.eq(memory.row)]
        for lane in range(self.lanes):
            with m.If(~enables[1][lane if source.masked else 0]):
                m.d.sync += row[lane].eq(0)
        low = np.minimum(source.rows.min(axis=0), 0)
        high = np.maximum(source.rows.max(axis=0), 0)
        return [row[lane] for lane in range(self.lanes)], low, high


def _add(m: Module, terms: Sequence[Term], max_width: int) -> Term:
    """The registered sum of one or two terms; ``max_width`` bits hold any sum."""
    values, lows, highs = zip(*terms, strict=True)
    low, high = np.sum(lows, axis=0), np.sum(highs, axis=0)
    sums = []
    for lane, addends in enumerate(zip(*values, strict=True)):
        width = min(max_width, signed_width(int(low[lane]), int(high[lane])))
        partial = Signal(signed(width), name="partial", reset_less=True)
        m.d.sync += partial.eq(sum(addends[1:], addends[0]))
        sums.append(partial)
    return sums, low, high


def _delay(m: Module, lasts: list[Value], tags: list[Value]) -> None:
    """Append one pipeline stage to the end-of-window flag and the position tag."""
    last = Signal(name="last")
    tag = Signal(position_tag_layout, name="tag", reset_less=True)
    m.d.sync += [last.eq(lasts[-1]), tag.eq(tags[-1])]
    lasts.append(last)
    tags.append(tag)
