"""Reset distribution: every unit has its own reset register.

A single net to all flip-flops of a core would be its slowest path (7 ns of routing). The core's
reset passes two registers instead; the second one belongs to one unit.
"""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl.parameters import Parameter


class ResetSequencer(wiring.Component):
    """Delays a reset by two cycles and copies it to every unit; all leave reset together.

    No reset is needed after configuration, which gives registers their initial values.

    Members
    -------
    rst : ``In(1)``
    resets : ``Out(units)``
    settled : ``Out(1)``
        No reset is in progress. While it is 0, ignore the outputs of the units.
    """

    units = Parameter.positive()

    def __init__(self, *, units: int) -> None:
        self.units = units
        super().__init__({"rst": In(1), "resets": Out(units), "settled": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        first, second = Signal(), Signal()
        m.d.sync += [first.eq(self.rst), second.eq(first)]
        # The self-reference keeps synthesis from merging these identical registers.
        copies = [Signal(name=f"copy_{index}") for index in range(self.units + 1)]
        m.d.sync += [copy.eq(first | (second & copy)) for copy in copies]
        m.d.comb += [self.resets.eq(Cat(copies[1:])), self.settled.eq(~(first | copies[0]))]
        return m
