"""Reset that reaches every unit by a register of its own.

One net to all flip-flops of a core would be its slowest: 7 ns of routing. Here a core's reset goes
through two registers, the second one a unit's own. All units leave reset in the same cycle.
"""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class ResetSequencer(wiring.Component):
    """Copies of a reset, two cycles later.

    None is needed after configuration: registers have their initial values then.

    Parameters
    ----------
    units : :class:`int`

    Members
    -------
    rst : ``In(1)``
    resets : ``Out(units)``
    settled : ``Out(1)``
        No reset is under way; until then nothing that the units do counts.
    """

    def __init__(self, units):
        self._units = units
        super().__init__({"rst": In(1), "resets": Out(units), "settled": Out(1)})

    def elaborate(self, platform):
        m = Module()
        first, second = Signal(), Signal()
        m.d.sync += [first.eq(self.rst), second.eq(first)]
        # Each looks at itself, lest synthesis make one register of all that are equal.
        own = [Signal(name=f"own_{index}") for index in range(self._units + 1)]
        m.d.sync += [copy.eq(first | (second & copy)) for copy in own]
        m.d.comb += [
            self.resets.eq(Cat(own[1:])),
            self.settled.eq(~(first | own[0])),
        ]
        return m
