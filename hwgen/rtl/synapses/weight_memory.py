"""Weight memories: Amaranth's own when small, a Verilog memory with ``$readmemh`` when large."""

from functools import reduce
from operator import or_

import numpy as np
from amaranth import ClockSignal, Instance, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.memories import TREE_BANKS, MemoryKind, read_only, split_rows
from hwgen.rtl.parameters import Parameter

INLINE_BITS = 1 << 13
"""Bits of initial content that stay in the Verilog; more than that is slow to write and to read."""
STYLES = {MemoryKind.BLOCK: "block", MemoryKind.LUT: "logic"}
"""Value of the Verilog attribute ``rom_style`` for each kind of read-only memory."""


class WeightMemory(wiring.Component):
    """Read-only memory with rows of ``lanes`` weights; a row follows its address by two cycles.

    Members
    -------
    address : ``In(range(depth))``
    row : ``Out(data.ArrayLayout(signed(weight_bits), lanes))``
    """

    rows = Parameter(np.ndarray)
    """The weights; shape (depth, lanes)."""
    weight_bits = Parameter.positive()
    file = Parameter[str | None](str | None)
    """File that holds the rows; None if they are in the Verilog, as rows in LUTs always are."""
    kind = Parameter(MemoryKind)
    """Kind of memory; never AUTO."""

    def __init__(
        self,
        *,
        rows: np.ndarray,
        weight_bits: int,
        file: str | None = None,
        kind: MemoryKind = MemoryKind.AUTO,
    ) -> None:
        self.rows, self.weight_bits = rows, weight_bits
        if rows.ndim != 2 or not rows.size:
            raise ValueError(f"rows must have the shape (depth, lanes), not {rows.shape}")
        low, high = int(rows.min()), int(rows.max())
        if not -(1 << weight_bits - 1) <= low <= high < 1 << weight_bits - 1:
            raise ValueError(f"weights {low} … {high} do not fit {weight_bits} bits")
        self.kind = read_only(len(rows), self.width, MemoryKind(kind)).kind
        # Rows 0 … block_rows - 1 lie in block RAM, the others in LUTs.
        self._block_rows = {MemoryKind.LUT: 0, MemoryKind.SPLIT: split_rows(len(rows))}.get(
            self.kind, len(rows)
        )
        self._block = None
        if self._block_rows:
            self._block = read_only(self._block_rows, self.width, MemoryKind.BLOCK)
        self.file = None if self.kind == MemoryKind.LUT else file
        members = {
            "address": In(range(len(rows))),
            "row": Out(data.ArrayLayout(signed(weight_bits), rows.shape[1])),
        }
        super().__init__(members)

    @property
    def width(self) -> int:
        """Bits of a row."""
        return int(self.rows.shape[1]) * self.weight_bits

    def hex_lines(self) -> str:
        """Content of the file for ``$readmemh``: the words in block RAM."""
        assert self._block is not None
        words = self._packed(self._side_by_side())[:, ::-1]
        digits = -(-self._block.banks * self.width // 4)
        return "".join(f"{word.tobytes().hex()[-digits:]}\n" for word in words)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.kind == MemoryKind.LUT:
            m.d.comb += self.row.eq(self._read_luts(m, 0))
            return m
        row = self._read_block(m)
        if self._block_rows == len(self.rows):
            m.d.comb += self.row.eq(row)
            return m
        beyond = Signal(2)
        m.d.sync += beyond.eq(beyond << 1 | self.address[-1])
        m.d.comb += self.row.eq(Mux(beyond[1], self._read_luts(m, self._block_rows), row))
        return m

    def _read_luts(self, m: Module, first: int) -> Value:
        """The row in LUTs, from row ``first`` on, two cycles after its address."""
        depth = len(self.rows) - first
        memory = Memory(
            shape=self.width,
            depth=depth,
            init=self._words(self.rows[first:]),
            attrs={"rom_style": STYLES[MemoryKind.LUT]},
        )
        m.submodules.luts = memory
        # The address drives many LUTs, so it has a register and a full cycle to reach them.
        port = memory.read_port(domain="comb")
        address = Signal.like(port.addr, name="luts_address", reset_less=True)
        row = Signal(self.width, name="luts_row", reset_less=True)
        m.d.sync += [address.eq(self.address[: len(address)]), row.eq(port.data)]
        m.d.comb += port.addr.eq(address)
        return row

    def _read_block(self, m: Module) -> Value:
        """The row in block RAM, two cycles after its address.

        The output register has no logic in front of it, so that it maps to the register inside the
        block RAM; without that register the output arrives late in its cycle.
        """
        assert self._block is not None
        banks, rows = self._block.banks, self._block.bank_rows
        bits = (rows - 1).bit_length()
        address = self.address[:bits]
        word = Signal(banks * self.width, name="block_word", reset_less=True)
        if self.file is None:
            memory = Memory(
                shape=len(word),
                depth=rows,
                init=self._words(self._side_by_side()),
                attrs={"rom_style": STYLES[MemoryKind.BLOCK]},
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
                p_FILE=self.file,
                i_clk=ClockSignal(),
                i_address=address if bits else 0,
                o_row=read,
            )
        m.d.sync += word.eq(read)
        if banks == 1:
            return word
        words = [word.word_select(index, self.width) for index in range(banks)]
        return self._select(m, words, self.address[bits : (self._block_rows - 1).bit_length()])

    def _select(self, m: Module, words: list[Value], bank: Value) -> Value:
        """The word of ``bank``, an address of two cycles before.

        For few words a tree of multiplexers is the smallest; for many, an OR of gated words.
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

    def _side_by_side(self) -> np.ndarray:
        """The rows in block RAM, with all banks side by side; the first bank in the lowest bits."""
        assert self._block is not None
        banks, bank_rows = self._block.banks, self._block.bank_rows
        rows = np.zeros((banks * bank_rows, self.rows.shape[1]), dtype=self.rows.dtype)
        rows[: self._block_rows] = self.rows[: self._block_rows]
        return np.concatenate(np.split(rows, banks), axis=1)

    def _words(self, rows: np.ndarray) -> list[int]:
        """Rows as unsigned integers, lane 0 in the lowest bits."""
        return [int.from_bytes(word, "little") for word in self._packed(rows)]

    def _packed(self, rows: np.ndarray) -> np.ndarray:
        """Rows as bytes, lowest first; shape (rows, bytes)."""
        bits = (rows.astype(np.int64)[:, :, None] >> np.arange(self.weight_bits)) & 1
        flat = bits.astype(np.uint8).reshape(len(rows), -1)
        return np.packbits(flat, axis=1, bitorder="little")
