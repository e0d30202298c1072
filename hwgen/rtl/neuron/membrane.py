"""The membrane pipeline: one memory and one adder per lane for both phases of two-phase neurons.

Both phases are the same operation, V ← 2·V + X (V ← V + X without a leak):

* accumulate: X is the current; the first step takes V as 0. For ttfs trains X is the sum of all
  currents so far, which a second memory stores: one more cycle and one more adder.
* fire, by non-restoring division: with D = θ·2^(T2−1) and the bias B, the first step computes
  R = V + B − D and spikes if R ≥ 0. Each further step computes R ← 2·R − D after a spike and
  R ← 2·R + D otherwise, which equals restoring R + D, doubling it and subtracting D. The memory
  holds U = 2·R, so that the first step doubles as well. An R outside −D … D − 1 (negative or
  saturated) keeps its sign for all further steps: once the two top bits of U differ they are
  frozen, whatever the other bits do.
* fire once (ttfs): X is θ. The first step computes V + B − T2·θ, which is V + B + θ minus the
  threshold (T2 + 1)·θ of the charge. The spike is where the sign changes.
"""

from amaranth import Cat, Const, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.layer import LayerPlan, UnitKind
from hwgen.rtl.memory import block_memory
from hwgen.rtl.neuron.layouts import issue_layout, membrane_layout
from hwgen.rtl.parameters import Parameter


class MembranePipeline(wiring.Component):
    """The membranes of all banks, and a pipeline that updates one word per cycle.

    Members
    -------
    issue : ``In(issue_layout(plan))``
        A step of a word. The same word must not be issued again within ``latency`` cycles, except
        for the first step of accumulation, which does not read it.
    currents : ``In(data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes))``
        Added while accumulating, two cycles after ``issue``; 0 for a step that fires.
    constants : ``In(membrane_layout(plan))``
        Added while firing, two cycles after ``issue``; ignored for a step that accumulates.
    fired : ``Out(1)``
        ``membranes`` holds the word issued with ``fire`` ``latency − 1`` cycles earlier.
    membranes : ``Out(membrane_layout(plan))``
        Not negative: a spike. For a readout the logits, doubled if ``leak_in``.
    done : ``Out(membrane_lanes)``
        Lanes that fire once and have already fired.
    """

    plan = Parameter(LayerPlan)

    def __init__(self, *, plan: LayerPlan) -> None:
        self.plan = plan
        width = signed(plan.current_width)
        members = {
            "issue": In(issue_layout(plan)),
            "currents": In(data.ArrayLayout(width, plan.membrane_lanes)),
            "constants": In(membrane_layout(plan)),
            "fired": Out(1),
            "membranes": Out(membrane_layout(plan)),
            "done": Out(plan.membrane_lanes),
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

        # Read.
        m.d.comb += read_port.addr.eq(self.issue.address)
        read = Signal(issue_layout(plan), reset_less=True)
        read_valid = Signal()
        m.d.sync += [read.eq(self.issue), read_valid.eq(self.issue.valid)]

        # Register the word; the operands arrive in the same cycle.
        prepared = Signal(3)  # valid, fire, first
        address = Signal.like(read.address, reset_less=True)
        membranes = Signal(membrane_layout(plan), reset_less=True)
        divides = plan.kind == UnitKind.TWO_PHASE and plan.leak_out.doubles
        # One flag drives every lane, without logic on these long routes.
        first_fire = Signal(reset_less=True)
        divide = Signal()  # a further step that fires
        m.d.sync += [
            first_fire.eq(read.fire & read.first),
            divide.eq(read.fire & ~read.first),
            prepared.eq(Cat(read_valid, read.fire, read.first)),
            address.eq(read.address),
            membranes.eq(read_port.data),
        ]
        with m.If(read.first & ~read.fire):
            m.d.sync += membranes.as_value().eq(0)

        currents, constants = self.currents, self.constants
        if plan.accumulates_slopes:
            stage = (prepared, address, membranes, first_fire, divide, constants)
            prepared, address, membranes, first_fire, divide, constants, currents = self._integrate(
                m, read, stage
            )

        # One adder per lane: after a spike, division subtracts the operand by inversion and carry.
        valid, fire, first = prepared
        shifts = {
            "accumulate": int(plan.leak_in.doubles),
            "first_fire": int(plan.leak_out.doubles) + plan.frac_bits,
            "fire": int(plan.leak_out.doubles),
        }
        written = Signal()
        updated = Signal(membrane_layout(plan), reset_less=True)
        m.d.comb += self.membranes.eq(updated)
        m.d.sync += [self.fired.eq(valid & fire), written.eq(valid), write_port.addr.eq(address)]
        for lane in range(lanes):
            stored = membranes[lane]
            shifted = Signal(signed(width), name="shifted")
            total = Signal(signed(width), name="total")
            m.d.comb += shifted.eq(stored << shifts["fire"])
            if len(set(shifts.values())) > 1:
                with m.If(first_fire):
                    m.d.comb += shifted.eq(stored << shifts["first_fire"])
                with m.Elif(~fire):
                    m.d.comb += shifted.eq(stored << shifts["accumulate"])
            negate = divide & ~stored[-1] if divides else Const(0)
            current = Signal(signed(width), name="current")
            operand = Signal(signed(width), name="operand")
            m.d.comb += [
                current.eq(currents[lane]),
                # The current is 0 for a step that fires, so that each bit is one LUT.
                operand.eq(
                    (current | (constants[lane] & fire.replicate(width)))
                    ^ (negate.replicate(width) if divides else 0)
                ),
            ]
            if divides:
                carry_sum = Cat(negate, shifted).as_signed() + Cat(negate, operand)
                m.d.comb += total.eq(carry_sum >> 1)
            else:
                m.d.comb += total.eq(shifted + operand)
            m.d.sync += updated[lane].eq(total)
            if plan.spikes_once:
                m.d.sync += self.done[lane].eq(~first & ~stored[-1])
            if divides:
                with m.If(divide & (stored[-1] != stored[-2])):
                    m.d.sync += updated[lane][-2:].eq(stored[-2:])

        # Write.
        m.d.comb += [write_port.data.eq(self.membranes), write_port.en.eq(written)]
        return m

    def _integrate(self, m: Module, read: Value, stage: tuple[Value, ...]) -> tuple[Value, ...]:
        """``stage`` one cycle later, and the sum of the currents of all timesteps so far.

        Every input spikes at most once, so that sums need no more bits than a current.
        """
        plan = self.plan
        layout = data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes)
        m.submodules.slopes = memory = block_memory(shape=layout, depth=plan.membrane_depth)
        read_port, write_port = memory.read_port(), memory.write_port()
        bank_bits = (plan.banks - 1).bit_length()
        before = Signal(layout, reset_less=True)
        sums = Signal(layout, reset_less=True)
        m.d.comb += read_port.addr.eq(self.issue.address[bank_bits:])
        m.d.sync += before.eq(read_port.data)
        with m.If(read.first):
            m.d.sync += before.as_value().eq(0)
        later = [Signal.like(now, name=f"later_{n}") for n, now in enumerate(stage)]
        m.d.sync += [after.eq(now) for after, now in zip(later, stage, strict=True)]
        _, fire, _ = stage[0]
        for lane in range(plan.membrane_lanes):
            m.d.sync += sums[lane].eq(before[lane] + self.currents[lane])
        with m.If(fire):
            m.d.sync += sums.as_value().eq(0)
        valid, fire, _ = later[0]
        m.d.comb += [
            write_port.addr.eq(later[1][bank_bits:]),
            write_port.data.eq(sums),
            write_port.en.eq(valid & ~fire),
        ]
        return (*later, sums)
