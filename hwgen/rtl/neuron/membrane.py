"""Membranes: one memory with its adder, used for both phases of the two-phase neuron.

Both phases are one operation, V ← 2·V + X (V ← V + X where nothing leaks):

* accumulate: X is the current; the first step takes V as 0. Of ttfs trains X is the sum of all
  currents so far, which a second memory holds: a cycle and an adder more.
* fire: by non-restoring division. With D = θ·2^(T2−1) and the bias B, the first step computes
  R = V + B − D and spikes where R ≥ 0; the next ones R ← 2·R − D after a spike and 2·R + D after
  none, which is what restoring R + D and subtracting D from its double gives. Stored is U = 2·R,
  so that the first step doubles as well. An R outside −D … D − 1 (below zero or saturated)
  keeps its sign for ever: once the two top bits of U differ they are held, whatever the others do.
* fire once (ttfs): X is θ. The first step computes V + B − T2·θ, that is V + B + θ less the
  threshold (T2 + 1)·θ of the charge. The spike stands where the sign turns.
"""

from amaranth import Cat, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


def latency(plan):
    """Cycles from the issue of a word until a new issue of it reads what this one wrote."""
    return 5 if plan.ramp_in or plan.kind == "held" else 4


def issue_layout(plan):
    """One step of one membrane word. The lowest bits of ``address`` are the bank."""
    return data.StructLayout(
        {"valid": 1, "fire": 1, "first": 1, "address": range(plan.banks * plan.membrane_depth)}
    )


def membrane_layout(plan):
    return data.ArrayLayout(signed(plan.membrane_width), plan.membrane_lanes)


class MembranePipeline(wiring.Component):
    """A memory of all banks' membranes and the pipeline that updates a word of them a cycle.

    Parameters
    ----------
    plan : :class:`hwgen.plan.units.hardware_plan.LayerPlan`

    Members
    -------
    issue : ``In(issue_layout(plan))``
        A word's step; it must not be issued again within ``latency`` cycles, but for the first
        step of accumulation, which does not read.
    currents : ``In(data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes))``
        What accumulation adds, two cycles after ``issue``; 0 with a step that fires.
    constants : ``In(membrane_layout(plan))``
        What firing adds, likewise; whatever it is with a step that accumulates.
    fired : ``Out(1)``
        ``membranes`` holds a word that was issued with ``fire`` ``latency − 1`` cycles before.
    membranes : ``Out(membrane_layout(plan))``
        A spike where not negative; for a read-out the logits, doubled if ``leak_in``.
    done : ``Out(membrane_lanes)``
        With ``fired``: lanes that fire once and have.
    """

    def __init__(self, plan):
        self._plan = plan
        width = signed(plan.current_width)
        super().__init__(
            {
                "issue": In(issue_layout(plan)),
                "currents": In(data.ArrayLayout(width, plan.membrane_lanes)),
                "constants": In(membrane_layout(plan)),
                "fired": Out(1),
                "membranes": Out(membrane_layout(plan)),
                "done": Out(plan.membrane_lanes),
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

        # Read.
        m.d.comb += read_port.addr.eq(self.issue.address)
        read = Signal(issue_layout(plan), reset_less=True)
        read_valid = Signal()
        m.d.sync += [read.eq(self.issue), read_valid.eq(self.issue.valid)]

        # Keep what was read; the operands come in step with it.
        prepared = Signal(3)  # valid, fire, first
        address = Signal.like(read.address, reset_less=True)
        membranes = Signal(membrane_layout(plan), reset_less=True)
        divides = plan.kind == "two-phase" and plan.leak_out
        # One flag for every lane, and no logic on the long way to all of them.
        close = Signal(reset_less=True)  # the first step that fires
        divide = Signal()  # a step of the division after that
        m.d.sync += [
            close.eq(read.fire & read.first),
            divide.eq(read.fire & ~read.first),
            prepared.eq(Cat(read_valid, read.fire, read.first)),
            address.eq(read.address),
            membranes.eq(read_port.data),
        ]
        with m.If(read.first & ~read.fire):
            m.d.sync += membranes.as_value().eq(0)

        currents, constants = self.currents, self.constants
        if plan.ramp_in:
            stage = (prepared, address, membranes, close, divide, constants)
            prepared, address, membranes, close, divide, constants, currents = self._add_up(
                m, read, stage
            )

        # Add. One adder a lane: division negates the operand after a spike, the carry helps.
        valid, fire, first = prepared
        shifts = {
            "accumulate": int(plan.leak_in),
            "close": int(plan.leak_out) + plan.frac_bits,
            "fire": int(plan.leak_out),
        }
        written = Signal()
        updated = Signal(membrane_layout(plan), reset_less=True)
        m.d.comb += self.membranes.eq(updated)
        m.d.sync += [
            self.fired.eq(valid & fire),
            written.eq(valid),
            write_port.addr.eq(address),
        ]
        for lane in range(lanes):
            kept = membranes[lane]
            moved = Signal(signed(width), name="moved")
            total = Signal(signed(width), name="total")
            m.d.comb += moved.eq(kept << shifts["fire"])
            if len(set(shifts.values())) > 1:
                with m.If(close):
                    m.d.comb += moved.eq(kept << shifts["close"])
                with m.Elif(~fire):
                    m.d.comb += moved.eq(kept << shifts["accumulate"])
            negate = divide & ~kept[-1] if divides else 0
            current = Signal(signed(width), name="current")
            operand = Signal(signed(width), name="operand")
            m.d.comb += [
                current.eq(currents[lane]),
                # The current is 0 with a step that fires, so that a bit of this is one LUT.
                operand.eq(
                    (current | (constants[lane] & fire.replicate(width)))
                    ^ (negate.replicate(width) if divides else 0)
                ),
            ]
            if divides:
                carry_sum = Cat(negate, moved).as_signed() + Cat(negate, operand)
                m.d.comb += total.eq(carry_sum >> 1)
            else:
                m.d.comb += total.eq(moved + operand)
            m.d.sync += updated[lane].eq(total)
            if plan.ramp_out:
                m.d.sync += self.done[lane].eq(~first & ~kept[-1])
            if divides:
                with m.If(divide & (kept[-1] != kept[-2])):
                    m.d.sync += updated[lane][-2:].eq(kept[-2:])

        # Write.
        m.d.comb += [write_port.data.eq(self.membranes), write_port.en.eq(written)]
        return m

    def _add_up(self, m, read, stage):
        """``stage`` a cycle later, and the currents as what they and those before add up to.

        Every input spikes at most once, so that sums need no more bits than a current.
        """
        plan = self._plan
        layout = data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes)
        m.submodules.slopes = memory = Memory(
            shape=layout, depth=plan.membrane_depth, init=[], attrs={"no_rw_check": 1}
        )
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
