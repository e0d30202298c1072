"""Reset of a core's units one after the other, so that no reset net spans the device."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Release(wiring.Component):
    """Passes a reset from unit to unit, a register each, against the direction of the data.

    A unit is released after all that take its words. The reset is held until it has reached every
    unit. None is needed after configuration: registers have their initial values then.

    Parameters
    ----------
    units : :class:`int`

    Members
    -------
    rst : ``In(1)``
    resets : ``Out(units)``
        Bit 0 is the last unit of the data flow.
    settled : ``Out(1)``
        No reset is under way; until then nothing that the units do counts.
    """

    def __init__(self, units):
        self._units = units
        super().__init__({"rst": In(1), "resets": Out(units), "settled": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        hold = Signal(range(self._units + 1))
        with m.If(hold != 0):
            m.d.sync += hold.eq(hold - 1)
        with m.If(self.rst):
            m.d.sync += hold.eq(self._units)
        m.d.sync += [
            self.resets.eq(self.resets << 1 | (hold != 0)),
            self.settled.eq(~self.rst & (hold == 0) & (self.resets == 0)),
        ]
        return m
