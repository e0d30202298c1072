"""Membranes of leaks k = 1 + n/2^m < 2, on either side: one memory, one pipeline for both phases.

Stored is what is left before it grows. A step reads V, lets it grow, and adds:

* grow: L(V) = V + ⌊V·n/2^m⌋ = ⌊V·N/2^m⌋ with N = 2^m + n. V·N is a sum of shifted V, as many as N
  has digits other than 0 in signed digits, in two stages. Accumulation has the N of the trains
  that come in, firing that of the neuron; of a ttfs or rate train it is 1, of k = 2 it is 2.
* accumulate: L(V) + I·2^f, or + I where what comes in has no fractions; the first step takes V
  as 0.
* fire: R = L(V) + c with c = −D, and B − D in the first step, which takes V·2^f (or V, where it has
  its fractions) for L(V). A spike where R ≥ 0; without one D is given back, a cycle later.
* A V below 0 never fires again, and one from 2^(w−2) on always will, w being the membrane's bits:
  :mod:`hwgen.plan.units.inverse_leak` makes w so wide that it is at V̂ − D or above, where a spike
  in each
  step does not bring it down. Either is held as it is, which stands for the clamp of the
  specification.
* rate: D = θ. ttfs: nothing is given back, the spike stands where the sign turns. Read-out: c = B.
"""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.inverse_leak import signed_digits
from hwgen.rtl.neuron.membrane import issue_layout, membrane_layout

LATENCY = 7
"""Cycles from the issue of a word until a new issue of it reads what this one wrote."""
CONSTANTS, LEVELS = 4, 5
"""Cycles from the issue of a word until its constants come, and what it gives back."""


class InverseLeakPipeline(wiring.Component):
    """A memory of all banks' membranes and the pipeline that updates a word of them a cycle.

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.hardware_plan.LayerPlan`

    Members
    -------
    issue : ``In(issue_layout(plan))``
        As of :class:`hwgen.rtl.neuron.membrane.MembranePipeline`.
    currents : ``In(data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes))``
        What accumulation adds, two cycles after ``issue``; 0 with a step that fires.
    constants, levels : ``In(membrane_layout(plan))``
        What firing adds and gives back, four and five cycles after ``issue``; whatever they are
        with a step that accumulates.
    fired : ``Out(1)``
        A word that was issued with ``fire`` ``LATENCY − 1`` cycles before is there.
    spikes : ``Out(plan.membrane_lanes)``
    membranes : ``Out(membrane_layout(plan))``
        For a read-out the logits.
    """

    def __init__(self, plan):
        self._plan = plan
        self._grows = plan.kind == "two-phase" and plan.growth_out[0] > 1
        # Both products have the same places behind the point.
        self._places = max(plan.growth_in[1], plan.growth_out[1])
        width = signed(plan.current_width)
        super().__init__(
            {
                "issue": In(issue_layout(plan)),
                "currents": In(data.ArrayLayout(width, plan.membrane_lanes)),
                "constants": In(membrane_layout(plan)),
                "levels": In(membrane_layout(plan)),
                "fired": Out(1),
                "spikes": Out(plan.membrane_lanes),
                "membranes": Out(membrane_layout(plan)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        width, lanes = plan.membrane_width, plan.membrane_lanes
        m.submodules.memory = memory = Memory(
            shape=membrane_layout(plan),
            depth=plan.banks * plan.membrane_depth,
            init=[],
            attrs={"no_rw_check": 1},
        )
        read_port, write_port = memory.read_port(), memory.write_port()

        # What each stage holds, by the cycles since its issue.
        steps, valids = [self.issue], [self.issue.valid]
        for cycle in range(1, LATENCY):
            steps.append(Signal(issue_layout(plan), name=f"step_{cycle}", reset_less=True))
            valids.append(Signal(name=f"valid_{cycle}"))
            m.d.sync += [steps[cycle].eq(steps[cycle - 1]), valids[cycle].eq(valids[cycle - 1])]

        # Read, and keep what was read.
        kept = Signal(membrane_layout(plan), reset_less=True)
        m.d.comb += read_port.addr.eq(self.issue.address)
        m.d.sync += kept.eq(read_port.data)
        with m.If(steps[1].first & ~steps[1].fire):
            m.d.sync += kept.as_value().eq(0)
        currents = self._delayed_currents(m, steps, valids)

        updated = Signal(membrane_layout(plan), reset_less=True)
        spikes = Signal(lanes, reset_less=True)
        for lane in range(lanes):
            grown, flags = self._grow(m, kept[lane], steps[2])
            # Add. The current is 0 with a step that fires, so that a bit of this is one LUT.
            current = Signal(signed(width), name="current")
            shift = plan.frac_bits if plan.growth_in[1] else 0
            total = Signal(signed(width), name="total", reset_less=True)
            fire = steps[4].fire.replicate(width)
            m.d.comb += current.eq(currents[lane] << shift)
            m.d.sync += total.eq(grown + (current | (self.constants[lane] & fire)).as_signed())
            # Give back.
            held, below, done = flags
            spike, back = Signal(name="spike"), Signal(name="back")
            m.d.comb += spike.eq(Mux(held, ~below, ~total[-1]) & ~done)
            if plan.kind == "two-phase" and not plan.ramp_out:
                m.d.comb += back.eq(steps[5].fire & (held | total[-1]))
            m.d.sync += [
                updated[lane].eq(total + (self.levels[lane] & back.replicate(width)).as_signed()),
                spikes[lane].eq(spike),
            ]

        # Write.
        m.d.comb += [
            self.membranes.eq(updated),
            self.spikes.eq(spikes),
            self.fired.eq(valids[6] & steps[6].fire),
            write_port.addr.eq(steps[6].address),
            write_port.data.eq(updated),
            write_port.en.eq(valids[6]),
        ]
        return m

    def _grow(self, m, kept, step):
        """L of ``kept``, two cycles later; and three cycles later whether it is held, is below 0,
        and fires no more as it has."""
        plan = self._plan
        width, places = plan.membrane_width, self._places
        wide = signed(width + places)
        held = Signal(name="held")
        if self._grows:
            m.d.comb += held.eq(step.fire & ~step.first & (kept[-1] | kept[-2]))
        taken = Signal(wide, name="taken")  # where nothing grows
        m.d.comb += taken.eq(kept << places)
        if plan.frac_bits and not plan.growth_in[1]:
            with m.If(step.first):
                m.d.comb += taken.eq(kept << places + plan.frac_bits)
        plain = step.fire & step.first | held if self._grows else step.fire
        halves = []
        for part in range(2):
            share = self._share(kept, plan.growth_in, part)
            if self._grows and plan.growth_out != plan.growth_in:
                share = Mux(step.fire, self._share(kept, plan.growth_out, part), share)
            half = Signal(wide, name=f"half_{part}", reset_less=True)
            m.d.sync += half.eq(Mux(plain, 0 if part else taken, share))
            halves.append(half)
        grown = Signal(signed(width), name="grown", reset_less=True)
        product = Signal(wide, name="product")
        m.d.comb += product.eq(halves[0] + halves[1])
        m.d.sync += grown.eq(product >> places)
        done = ~step.first & ~kept[-1] if plan.ramp_out else 0
        flags = Cat(held, kept[-1], done)
        for cycle in range(3, 6):
            later = Signal(3, name=f"flags_{cycle}", reset_less=True)
            m.d.sync += later.eq(flags)
            flags = later
        return grown, flags

    def _share(self, kept, growth, part):
        """That of every second digit in ``kept``·N, ``_places`` bits of which are a fraction."""
        number, bits = growth
        total = 0
        for place, sign in signed_digits(number << self._places - bits)[part::2]:
            total = total + (kept << place) if sign > 0 else total - (kept << place)
        return total

    def _delayed_currents(self, m, steps, valids):
        """The currents two cycles later; of ttfs trains what they and those before add up to.

        Every input spikes at most once, so that sums need no more bits than a current.
        """
        plan = self._plan
        layout = data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes)
        later, latest = (Signal(layout, name=name, reset_less=True) for name in ("later", "latest"))
        m.d.sync += [later.eq(self.currents), latest.eq(later)]
        if not plan.ramp_in:
            return latest
        m.submodules.slopes = memory = Memory(
            shape=layout, depth=plan.membrane_depth, init=[], attrs={"no_rw_check": 1}
        )
        read_port, write_port = memory.read_port(), memory.write_port()
        bank_bits = (plan.banks - 1).bit_length()
        before = Signal(layout, reset_less=True)
        m.d.comb += [
            read_port.addr.eq(self.issue.address[bank_bits:]),
            write_port.addr.eq(steps[3].address[bank_bits:]),
            write_port.data.eq(later),
            write_port.en.eq(valids[3] & ~steps[3].fire),
        ]
        m.d.sync += before.eq(read_port.data)
        with m.If(steps[1].first):
            m.d.sync += before.as_value().eq(0)
        for lane in range(plan.membrane_lanes):
            m.d.sync += later[lane].eq(before[lane] + self.currents[lane])
        with m.If(steps[2].fire):
            m.d.sync += later.as_value().eq(0)
        return latest
