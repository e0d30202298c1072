"""The membrane pipeline of layers with an inverse leak k = 1 + n/2^m < 2 at input or output.

One memory and one pipeline serve both phases. The memory holds V before the leak. A step reads V,
applies the leak, and adds:

* leak: L(V) = V + ⌊V·n/2^m⌋ = ⌊V·N/2^m⌋ with N = 2^m + n. V·N is a sum of shifted V, one for each
  non-zero signed digit of N, in two stages. Accumulation uses the N of the input trains, firing
  that of the neuron; N is 1 for a ttfs or rate train and 2 for k = 2.
* accumulate: L(V) + I·2^f, or L(V) + I if the input has no leak k < 2; the first step takes V as 0.
* fire: R = L(V) + c with c = −D, or c = B − D in the first step, which takes V·2^f (or V, if V has
  fraction bits already) as L(V). A spike if R ≥ 0; otherwise D is restored one cycle later.
* A negative V never fires again, and V ≥ 2^(w−2) always does, where w is the membrane width:
  :mod:`hwgen.plan.units.widths` makes w so wide that such a V is at least V̂ − D, from which
  one spike per step does not bring it down. Both are frozen, which implements the clamp of the
  specification.
* rate: D = θ. ttfs: nothing is restored; the spike is where the sign changes. Readout: c = B.
"""

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.hdl import ValueLike
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.network import InverseLeak
from hwgen.plan.units.latencies import INVERSE_LEAK
from hwgen.plan.units.layer import LayerPlan, UnitKind
from hwgen.plan.units.signed_digits import signed_digits
from hwgen.rtl.memory import block_memory
from hwgen.rtl.neuron.layouts import issue_layout, membrane_layout
from hwgen.rtl.parameters import Parameter

CONSTANTS, LEVELS = 4, 5
"""Cycles from the issue of a word to its constants, and to the level that it restores."""


class InverseLeakPipeline(wiring.Component):
    """The membranes of all banks, and a pipeline that updates one word per cycle.

    Members
    -------
    issue : ``In(issue_layout(plan))``
        As for :class:`hwgen.rtl.neuron.membrane.MembranePipeline`.
    currents : ``In(data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes))``
        Added while accumulating, two cycles after ``issue``; 0 for a step that fires.
    constants, levels : ``In(membrane_layout(plan))``
        Added and restored while firing, four and five cycles after ``issue``; ignored for a step
        that accumulates.
    fired : ``Out(1)``
        The outputs belong to the word issued with ``fire`` ``INVERSE_LEAK − 1`` cycles earlier.
    spikes : ``Out(plan.membrane_lanes)``
    membranes : ``Out(membrane_layout(plan))``
        The logits of a readout.
    """

    plan = Parameter(LayerPlan)

    def __init__(self, *, plan: LayerPlan) -> None:
        self.plan = plan
        self._grows = plan.kind == UnitKind.TWO_PHASE and plan.leak_out.n > 0
        # Both products have the same number of fraction bits.
        self._product_bits = max(plan.leak_in.m, plan.leak_out.m)
        width = signed(plan.current_width)
        members = {
            "issue": In(issue_layout(plan)),
            "currents": In(data.ArrayLayout(width, plan.membrane_lanes)),
            "constants": In(membrane_layout(plan)),
            "levels": In(membrane_layout(plan)),
            "fired": Out(1),
            "spikes": Out(plan.membrane_lanes),
            "membranes": Out(membrane_layout(plan)),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        width, lanes = plan.membrane_width, plan.membrane_lanes
        m.submodules.memory = memory = block_memory(
            shape=membrane_layout(plan), depth=plan.banks * plan.membrane_depth
        )
        read_port, write_port = memory.read_port(), memory.write_port()

        # The step in each stage, by cycles since its issue.
        steps, valids = [self.issue], [self.issue.valid]
        for cycle in range(1, INVERSE_LEAK):
            steps.append(Signal(issue_layout(plan), name=f"step_{cycle}", reset_less=True))
            valids.append(Signal(name=f"valid_{cycle}"))
            m.d.sync += [steps[cycle].eq(steps[cycle - 1]), valids[cycle].eq(valids[cycle - 1])]

        # Read and register the word.
        stored = Signal(membrane_layout(plan), reset_less=True)
        m.d.comb += read_port.addr.eq(self.issue.address)
        m.d.sync += stored.eq(read_port.data)
        with m.If(steps[1].first & ~steps[1].fire):
            m.d.sync += stored.as_value().eq(0)
        currents = self._delayed_currents(m, steps, valids)

        updated = Signal(membrane_layout(plan), reset_less=True)
        spikes = Signal(lanes, reset_less=True)
        for lane in range(lanes):
            grown, flags = self._grow(m, stored[lane], steps[2])
            # Add. The current is 0 for a step that fires, so that each bit is one LUT.
            current = Signal(signed(width), name="current")
            shift = plan.frac_bits if plan.leak_in.m else 0
            total = Signal(signed(width), name="total", reset_less=True)
            fire = steps[4].fire.replicate(width)
            m.d.comb += current.eq(currents[lane] << shift)
            m.d.sync += total.eq(grown + (current | (self.constants[lane] & fire)).as_signed())
            # Restore.
            frozen, below, done = flags
            spike, restore = Signal(name="spike"), Signal(name="restore")
            m.d.comb += spike.eq(Mux(frozen, ~below, ~total[-1]) & ~done)
            if plan.kind == UnitKind.TWO_PHASE and not plan.spikes_once:
                m.d.comb += restore.eq(steps[5].fire & (frozen | total[-1]))
            m.d.sync += [
                updated[lane].eq(
                    total + (self.levels[lane] & restore.replicate(width)).as_signed()
                ),
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

    def _grow(self, m: Module, stored: Value, step: Value) -> tuple[Value, Value]:
        """(L of ``stored``, two cycles later; flags, three cycles later).

        Flags: the membrane is frozen; it is negative; it has fired and fires only once.
        """
        plan = self.plan
        width, fraction = plan.membrane_width, self._product_bits
        wide = signed(width + fraction)
        frozen = Signal(name="frozen")
        if self._grows:
            m.d.comb += frozen.eq(step.fire & ~step.first & (stored[-1] | stored[-2]))
        unchanged = Signal(wide, name="unchanged")  # without a leak
        m.d.comb += unchanged.eq(stored << fraction)
        if plan.frac_bits and not plan.leak_in.m:
            with m.If(step.first):
                m.d.comb += unchanged.eq(stored << fraction + plan.frac_bits)
        no_leak = step.fire & step.first | frozen if self._grows else step.fire
        halves = []
        for part in range(2):
            product_part = self._partial_product(stored, plan.leak_in, part)
            if self._grows and plan.leak_out != plan.leak_in:
                product_part = Mux(
                    step.fire, self._partial_product(stored, plan.leak_out, part), product_part
                )
            half = Signal(wide, name=f"half_{part}", reset_less=True)
            m.d.sync += half.eq(Mux(no_leak, 0 if part else unchanged, product_part))
            halves.append(half)
        grown = Signal(signed(width), name="grown", reset_less=True)
        product = Signal(wide, name="product")
        m.d.comb += product.eq(halves[0] + halves[1])
        m.d.sync += grown.eq(product >> fraction)
        done = ~step.first & ~stored[-1] if plan.spikes_once else 0
        flags = Cat(frozen, stored[-1], done)
        for cycle in range(3, 6):
            later = Signal(3, name=f"flags_{cycle}", reset_less=True)
            m.d.sync += later.eq(flags)
            flags = later
        return grown, flags

    def _partial_product(self, stored: Value, leak: InverseLeak, part: int) -> ValueLike:
        """``stored``·N over every second signed digit of N; ``_product_bits`` fraction bits."""
        total: ValueLike = 0
        for position, sign in signed_digits(leak.numerator << self._product_bits - leak.m)[part::2]:
            total = total + (stored << position) if sign > 0 else total - (stored << position)
        return total

    def _delayed_currents(self, m: Module, steps: list[Value], valids: list[Value]) -> Value:
        """The currents two cycles later; for ttfs trains their sum over all timesteps so far.

        Every input spikes at most once, so that sums need no more bits than a current.
        """
        plan = self.plan
        layout = data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes)
        later, latest = (Signal(layout, name=name, reset_less=True) for name in ("later", "latest"))
        m.d.sync += [later.eq(self.currents), latest.eq(later)]
        if not plan.accumulates_slopes:
            return latest
        m.submodules.slopes = memory = block_memory(shape=layout, depth=plan.membrane_depth)
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
