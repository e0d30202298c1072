"""Weight memories: Amaranth's own when small, a Verilog memory with ``$readmemh`` when large."""

from amaranth import ClockSignal, Instance, Module, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

INLINE_BITS = 1 << 13
"""Initial content beyond this many bits goes to a file: it makes Verilog slow to write and read."""


class WeightMemory(wiring.Component):
    """Read-only rows of ``lanes`` weights; a row follows its address by one cycle.

    Parameters
    ----------
    rows : integer array, shape (depth, lanes)
    weight_bits : :class:`int`
    file : :class:`str` or None
        Name of the file that holds the rows; None keeps them in the Verilog.

    Members
    -------
    address : ``In(range(depth))``
    row : ``Out(data.ArrayLayout(signed(weight_bits), lanes))``
    """

    def __init__(self, *, rows, weight_bits, file=None):
        low, high = int(rows.min()), int(rows.max())
        if not -(1 << weight_bits - 1) <= low <= high < 1 << weight_bits - 1:
            raise ValueError(f"Weights {low} … {high} do not fit {weight_bits} bits")
        self._rows = rows
        self._weight_bits = weight_bits
        self._file = file
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
    def width(self):
        return self._rows.shape[1] * self._weight_bits

    def words(self):
        """Each row as one unsigned integer, lane 0 in the lowest bits."""
        mask = (1 << self._weight_bits) - 1
        for row in self._rows.tolist():
            word = 0
            for weight in reversed(row):
                word = word << self._weight_bits | (weight & mask)
            yield word

    def hex_lines(self):
        """The rows as text for ``$readmemh``."""
        digits = -(-self.width // 4)
        return "".join(f"{word:0{digits}x}\n" for word in self.words())

    def elaborate(self, platform):
        m = Module()
        depth = len(self._rows)
        if self._file is None:
            m.submodules.memory = memory = Memory(
                shape=self.width, depth=depth, init=list(self.words())
            )
            port = memory.read_port()
            m.d.comb += [port.addr.eq(self.address), self.row.eq(port.data)]
        else:
            m.submodules.memory = Instance(
                "hwgen_weight_memory",
                p_WIDTH=self.width,
                p_DEPTH=depth,
                p_ADDRESS_WIDTH=max(1, len(self.address)),
                p_FILE=self._file,
                i_clk=ClockSignal(),
                i_address=self.address if len(self.address) else 0,
                o_row=self.row,
            )
        return m

