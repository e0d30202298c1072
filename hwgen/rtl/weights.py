"""Weight memories: Amaranth's own when small, a Verilog memory with ``$readmemh`` when large."""

import numpy as np
from amaranth import ClockSignal, Instance, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.plan.memories import read_only, split_rows

INLINE_BITS = 1 << 13
"""Initial content beyond this many bits goes to a file: it makes Verilog slow to write and read."""
STYLES = {"block": "block", "lut": "logic"}
"""Of a read-only memory, for yosys."""


class WeightMemory(wiring.Component):
    """Read-only rows of ``lanes`` weights; a row follows its address by two cycles.

    Parameters
    ----------
    rows : integer array, shape (depth, lanes)
    weight_bits : :class:`int`
    file : :class:`str` or None
        Name of the file that holds the rows; None keeps them in the Verilog. Rows that lie in LUTs
        are always kept there.
    kind : :class:`str`
        Where the rows lie: one of :data:`hwgen.plan.memories.KINDS`, or "auto" for the cheapest.

    Members
    -------
    address : ``In(range(depth))``
    row : ``Out(data.ArrayLayout(signed(weight_bits), lanes))``
    """

    def __init__(self, *, rows, weight_bits, file=None, kind="auto"):
        low, high = int(rows.min()), int(rows.max())
        if not -(1 << weight_bits - 1) <= low <= high < 1 << weight_bits - 1:
            raise ValueError(f"Weights {low} … {high} do not fit {weight_bits} bits")
        self._rows = rows
        self._weight_bits = weight_bits
        self._kind = read_only(len(rows), rows.shape[1] * weight_bits, kind).kind
        self._file = None if self._kind == "lut" else file
        super().__init__(
            {
                "address": In(range(len(rows))),
                "row": Out(data.ArrayLayout(signed(weight_bits), rows.shape[1])),
            }
        )

    @property
    def file(self):
        return self._file

    @property
    def kind(self):
        return self._kind

    @property
    def width(self):
        return self._rows.shape[1] * self._weight_bits

    def words(self, first=0, end=None):
        """Rows ``first`` … as unsigned integers, lane 0 in the lowest bits."""
        return [int.from_bytes(word, "little") for word in self._packed(first, end)]

    def hex_lines(self):
        """The rows of the file as text for ``$readmemh``."""
        digits = -(-self.width // 4)
        words = self._packed(0, self._first)[:, ::-1]
        return "".join(f"{word.tobytes().hex()[-digits:]}\n" for word in words)

    def _packed(self, first, end):
        """Bytes of the rows, the lowest first; shape (rows, bytes)."""
        rows = self._rows[first:end].astype(np.int64)
        bits = (rows[:, :, None] >> np.arange(self._weight_bits)) & 1
        bits = bits.astype(np.uint8).reshape(len(rows), -1)
        return np.packbits(bits, axis=1, bitorder="little")

    @property
    def _first(self):
        """Rows before those of a split memory that lie in LUTs."""
        return split_rows(len(self._rows)) if self._kind == "split" else len(self._rows)

    def elaborate(self, platform):
        m = Module()
        depth, first = len(self._rows), self._first
        style = STYLES["lut" if self._kind == "lut" else "block"]
        # The register beside the memory: what a block RAM gives comes late in its cycle.
        read = Signal(self.width, reset_less=True)
        m.d.sync += read.eq(self._read(m, "memory", 0, first, style, self._file))
        if first == depth:
            m.d.comb += self.row.eq(read)
            return m
        # Of the two parts of a split memory, the one that is not meant gives 0.
        rest = Signal(self.width, reset_less=True)
        beyond = Signal()
        m.d.sync += [
            beyond.eq(self.address[-1]),
            rest.eq(self._read(m, "rest", first, depth, STYLES["lut"], None)),
        ]
        with m.If(beyond):
            m.d.sync += read.eq(0)
        with m.Else():
            m.d.sync += rest.eq(0)
        m.d.comb += self.row.eq(read | rest)
        return m

    def _read(self, m, name, first, end, style, file):
        """Of rows ``first`` … ``end`` the one at the lowest bits of the address, a cycle later."""
        bits = (end - first - 1).bit_length()
        address = self.address[:bits]
        if file is None:
            memory = Memory(
                shape=self.width,
                depth=end - first,
                init=self.words(first, end),
                attrs={"rom_style": style},
            )
            m.submodules[name] = memory
            if style != STYLES["lut"]:
                port = memory.read_port()
                m.d.comb += port.addr.eq(address)
                return port.data
            # Many LUTs wait for the address: it has a cycle to reach them.
            port = memory.read_port(domain="comb")
            held = Signal.like(address, name=f"{name}_address", reset_less=True)
            m.d.sync += held.eq(address)
            m.d.comb += port.addr.eq(held)
            return port.data
        row = Signal(self.width, name=name)
        m.submodules[name] = Instance(
            "hwgen_weight_memory",
            p_WIDTH=self.width,
            p_DEPTH=end - first,
            p_ADDRESS_WIDTH=max(1, bits),
            p_FILE=file,
            i_clk=ClockSignal(),
            i_address=address if bits else 0,
            o_row=row,
        )
        return row
