"""Weight memories: Amaranth's own when small, a Verilog memory with ``$readmemh`` when large."""

from functools import reduce
from operator import or_

import numpy as np
from amaranth import ClockSignal, Instance, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.memories import TREE_BANKS, read_only, split_rows

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
        Where the rows lie: one of :data:`hwgen.plan.units.memories.KINDS`, or "auto" for the
        cheapest.

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
        width = rows.shape[1] * weight_bits
        self._kind = read_only(len(rows), width, kind).kind
        # Rows before those that lie in LUTs.
        self._first = {"lut": 0, "split": split_rows(len(rows))}.get(self._kind, len(rows))
        self._block = read_only(self._first, width, "block") if self._first else None
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

    def hex_lines(self):
        """The content of the file, for ``$readmemh``: the words of what lies in block RAM."""
        words = self._packed(self._side_by_side())[:, ::-1]
        digits = -(-self._block.banks * self.width // 4)
        return "".join(f"{word.tobytes().hex()[-digits:]}\n" for word in words)

    def _side_by_side(self):
        """The rows in block RAM, those of its banks beside each other; the first bank's lowest."""
        banks, bank_rows = self._block.banks, self._block.bank_rows
        rows = np.zeros((banks * bank_rows, self._rows.shape[1]), dtype=self._rows.dtype)
        rows[: self._first] = self._rows[: self._first]
        return np.concatenate(np.split(rows, banks), axis=1)

    def _words(self, rows):
        """Rows as unsigned integers, lane 0 in the lowest bits."""
        return [int.from_bytes(word, "little") for word in self._packed(rows)]

    def _packed(self, rows):
        """Bytes of rows, the lowest first; shape (rows, bytes)."""
        bits = (rows.astype(np.int64)[:, :, None] >> np.arange(self._weight_bits)) & 1
        bits = bits.astype(np.uint8).reshape(len(rows), -1)
        return np.packbits(bits, axis=1, bitorder="little")

    def elaborate(self, platform):
        m = Module()
        if self._kind == "lut":
            m.d.comb += self.row.eq(self._read_luts(m, 0))
            return m
        row = self._read_block(m)
        if self._first == len(self._rows):
            m.d.comb += self.row.eq(row)
            return m
        beyond = Signal(2)
        m.d.sync += beyond.eq(beyond << 1 | self.address[-1])
        m.d.comb += self.row.eq(Mux(beyond[1], self._read_luts(m, self._first), row))
        return m

    def _read_luts(self, m, first):
        """Of rows ``first`` … the one at the lowest bits of the address, two cycles later."""
        depth = len(self._rows) - first
        memory = Memory(
            shape=self.width,
            depth=depth,
            init=self._words(self._rows[first:]),
            attrs={"rom_style": STYLES["lut"]},
        )
        m.submodules.luts = memory
        # Many LUTs wait for the address: it has a cycle to reach them.
        port = memory.read_port(domain="comb")
        address = Signal.like(port.addr, name="luts_address", reset_less=True)
        row = Signal(self.width, name="luts_row", reset_less=True)
        m.d.sync += [address.eq(self.address[: len(address)]), row.eq(port.data)]
        m.d.comb += port.addr.eq(address)
        return row

    def _read_block(self, m):
        """The row of block RAM at the lowest bits of the address, two cycles later.

        Every output has a register and no logic before it, so that it can be the block's own: what
        a block RAM gives without it comes late in its cycle.
        """
        banks, rows = self._block.banks, self._block.bank_rows
        bits = (rows - 1).bit_length()
        address = self.address[:bits]
        word = Signal(banks * self.width, name="block_word", reset_less=True)
        if self._file is None:
            memory = Memory(
                shape=len(word),
                depth=rows,
                init=self._words(self._side_by_side()),
                attrs={"rom_style": STYLES["block"]},
            )
            m.submodules.block = memory
            port = memory.read_port()
            m.d.comb += port.addr.eq(address)
            read = port.data
        else:
            read = Signal.like(word, name="block_read")
            m.submodules.block = Instance(
                "hwgen_weight_memory",
                p_WIDTH=len(word),
                p_DEPTH=rows,
                p_ADDRESS_WIDTH=max(1, bits),
                p_FILE=self._file,
                i_clk=ClockSignal(),
                i_address=address if bits else 0,
                o_row=read,
            )
        m.d.sync += word.eq(read)
        if banks == 1:
            return word
        words = [word.word_select(index, self.width) for index in range(banks)]
        return self._choose(m, words, self.address[bits : (self._first - 1).bit_length()])

    def _choose(self, m, words, bank):
        """The word of ``bank``, an address of two cycles before.

        Synthesis makes least of a tree for few words, and of words gated by a bit each for many.
        """
        late = Signal.like(bank, name="bank", reset_less=True)
        m.d.sync += late.eq(bank)
        if len(words) <= TREE_BANKS:
            select = Signal.like(bank, name="select", reset_less=True)
            m.d.sync += select.eq(late)
            for bit in select:
                pairs = zip(words[::2], words[1::2], strict=False)
                odd = words[len(words) & ~1 :]
                words = [Mux(bit, second, first) for first, second in pairs] + odd
            return words[0]
        chosen = Signal(len(words), reset_less=True)
        m.d.sync += chosen.eq(1 << late)
        gated = [Mux(bit, word, 0) for bit, word in zip(chosen, words, strict=True)]
        return reduce(or_, gated)
