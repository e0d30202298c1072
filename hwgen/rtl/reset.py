"""Reset that reaches every unit by a register of its own.

One net to all flip-flops of a core would be its slowest: 7 ns of routing. Here the core's reset
goes through two registers, the second one a unit's own. All units leave reset in the same cycle.
"""

from amaranth import ClockDomain, ClockSignal, DomainRenamer, ResetInserter, ResetSignal, Signal


class UnitResets:
    """Puts the units of a core into a domain without a reset, and resets each by its own register.

    All flip-flops of the core must be in these units, or in the domain ``name``: a simulator sees
    its edges a moment after those of ``sync``.

    Parameters
    ----------
    m : :class:`amaranth.Module`
    name : :class:`str`
        Of the domain.

    Attributes
    ----------
    active : Signal
        Units are, or are about to be, in reset: words at the ports of the core must be neither
        offered nor taken.
    """

    def __init__(self, m, *, name="units"):
        domain = ClockDomain(name, reset_less=True)
        m.domains += domain
        m.d.comb += domain.clk.eq(ClockSignal("sync"))
        self._m = m
        self._name = name
        self._first = Signal(init=1, name="reset_first")
        self._second = Signal(init=1, name="reset_second")
        self.active = Signal(name="reset_active")
        own = self._own("ports")
        m.d[name] += [self._first.eq(ResetSignal("sync")), self._second.eq(self._first)]
        m.d.comb += self.active.eq(self._first | own)

    def __call__(self, name, unit):
        """``unit`` with a reset of its own, to be made a submodule."""
        return DomainRenamer(self._name)(ResetInserter(self._own(name))(unit))

    def _own(self, name):
        """A register that looks at itself, lest synthesis make one of all that are equal."""
        own = Signal(init=1, name=f"reset_{name}")
        self._m.d[self._name] += own.eq(self._first | (self._second & own))
        return own
