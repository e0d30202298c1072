"""Neurons with a constant current: direct input."""

from amaranth import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_constants import NeuronConstants
from hwgen.rtl.memory import block_memory
from hwgen.rtl.neuron.integrator import Integrator
from hwgen.rtl.neuron.layouts import issue_layout
from hwgen.rtl.parameters import Parameter


class ConstantCurrentPipeline(wiring.Component):
    """The constant currents c of all banks, followed by single-phase neurons.

    * accumulate: c ← 2·c + I, where I is the current of one bit of every pixel; the first step
      takes c as 0. After the last bit c = W·x, without a multiplication.
    * fire: one step of the neurons with the current c. There are membranes for one pass: a pass
      fires after the previous one.

    Members
    -------
    issue : ``In(issue_layout(plan))``
        As for :class:`hwgen.rtl.neuron.membrane.MembranePipeline`.
    word : ``In(range(plan.words))``
        Index of the word in its pixel, for a step that fires.
    currents : ``In(data.ArrayLayout(signed(plan.current_width), plan.membrane_lanes))``
        Added while accumulating, two cycles after ``issue``.
    fired : ``Out(1)``
        ``spikes`` belong to the word issued with ``fire`` five cycles earlier.
    spikes : ``Out(plan.membrane_lanes)``
    """

    plan = Parameter(LayerPlan)
    constants = Parameter(NeuronConstants)

    def __init__(self, *, plan: LayerPlan, constants: NeuronConstants) -> None:
        self.plan, self.constants = plan, constants
        width = signed(plan.current_width)
        members = {
            "issue": In(issue_layout(plan)),
            "word": In(range(plan.words)),
            "currents": In(data.ArrayLayout(width, plan.membrane_lanes)),
            "fired": Out(1),
            "spikes": Out(plan.membrane_lanes),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        layout = data.ArrayLayout(signed(plan.constant_current_width), plan.membrane_lanes)
        m.submodules.integrator = integrator = Integrator(
            plan=plan, constants=self.constants, width=plan.constant_current_width
        )
        m.submodules.constants = memory = block_memory(
            shape=layout, depth=plan.banks * plan.membrane_depth
        )
        read_port, write_port = memory.read_port(), memory.write_port()
        bank_bits = (plan.banks - 1).bit_length()

        # Read and register the constant currents; the bit currents arrive in the same cycle.
        issue = self.issue
        accumulates = Signal(3)  # one bit per stage
        addresses = [issue.address]
        for index in range(3):
            addresses.append(Signal.like(issue.address, name=f"address_{index}", reset_less=True))
        m.d.sync += [
            accumulates.eq(accumulates << 1 | (issue.valid & ~issue.fire)),
            *(b.eq(a) for a, b in zip(addresses, addresses[1:], strict=False)),
        ]
        first = Signal(reset_less=True)
        constant, total = Signal(layout, reset_less=True), Signal(layout, reset_less=True)
        m.d.comb += read_port.addr.eq(issue.address)
        m.d.sync += [first.eq(issue.first & ~issue.fire), constant.eq(read_port.data)]
        with m.If(first):
            m.d.sync += constant.as_value().eq(0)

        # Accumulate.
        for lane in range(plan.membrane_lanes):
            m.d.sync += total[lane].eq((constant[lane] << 1) + self.currents[lane])
        m.d.comb += [
            write_port.addr.eq(addresses[3]),
            write_port.data.eq(total),
            write_port.en.eq(accumulates[2]),
        ]

        # Fire.
        m.d.comb += [
            integrator.issue.eq(issue.valid & issue.fire),
            integrator.address.eq(issue.address[bank_bits:]),
            integrator.word.eq(self.word),
            integrator.first.eq(issue.first),
            integrator.currents.eq(constant),
            self.fired.eq(integrator.fired),
            self.spikes.eq(integrator.spikes),
        ]
        return m
