"""The arithmetic of single-phase neurons: add, compare, reset, one membrane word per cycle."""

import numpy as np
from amaranth import Const, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hwgen.plan.units.latencies import INTEGRATOR
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_constants import NeuronConstants
from hwgen.rtl.memory import block_memory
from hwgen.rtl.neuron.constants import constant_memory
from hwgen.rtl.neuron.layouts import membrane_layout
from hwgen.rtl.parameters import Parameter
from hwgen.rtl.streams.delays import delay_line


class Integrator(wiring.Component):
    """Single-phase neurons: membranes and constants (ECC, Eq. 2–4; SpikeConverter, Eq. 4).

    V ← max(V + I + B, V_min);  y = V ≥ θ;  if y: V ← V − θ or, with a hard reset, V ← V_reset.
    The membranes of a spiking softmax have no θ and never fire.

    Members
    -------
    issue : ``In(1)``
        A step of a word begins; the same word must not be issued within ``INTEGRATOR`` cycles.
    address : ``In(range(plan.membrane_depth))``
    word : ``In(range(plan.words))``
        Index of the word in its pixel.
    first : ``In(1)``
        The first step of a pass: the membranes take their initial values.
    currents : ``In(data.ArrayLayout(signed(width), plan.membrane_lanes))``
        I, two cycles after ``issue``.
    fired : ``Out(1)``
        ``spikes`` and ``membranes`` belong to the word issued ``INTEGRATOR`` cycles earlier.
    spikes : ``Out(plan.membrane_lanes)``
    membranes : ``Out(membrane_layout(plan))``
        The membranes after the step.
    """

    plan = Parameter(LayerPlan)
    constants = Parameter(NeuronConstants)
    width = Parameter.positive()
    """Bits of a current."""

    def __init__(self, *, plan: LayerPlan, constants: NeuronConstants, width: int) -> None:
        self.plan = plan
        self.constants = constants
        self.width = width
        members = {
            "issue": In(1),
            "address": In(range(plan.membrane_depth)),
            "word": In(range(plan.words)),
            "first": In(1),
            "currents": In(data.ArrayLayout(signed(width), plan.membrane_lanes)),
            "fired": Out(1),
            "spikes": Out(plan.membrane_lanes),
            "membranes": Out(membrane_layout(plan)),
        }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, constants = self.plan, self.constants
        width, lanes = plan.membrane_width, plan.membrane_lanes
        layout = membrane_layout(plan)
        m.submodules.memory = memory = block_memory(shape=layout, depth=plan.membrane_depth)
        # Unused lanes stay at 0, below their threshold.
        m.submodules.added = added_memory = constant_memory(
            (constants.first, constants.later), layout, plan, unused=(0, 0)
        )
        in_flight = Signal(INTEGRATOR)  # one bit per stage
        m.d.sync += in_flight.eq(in_flight << 1 | self.issue)

        # Read the membranes and the biases in step with the currents.
        read_port, added_port = memory.read_port(), added_memory.read_port()
        addresses = delay_line(m, self.address, INTEGRATOR, name="address")
        words = delay_line(m, self.word, 3, name="word")
        firsts = delay_line(m, self.first, 2, name="first", reset_less=False)
        m.d.comb += [
            read_port.addr.eq(addresses[1]),
            added_port.addr.eq(words[1] << 1 | ~firsts[1]),
        ]

        # Add, compare, reset.
        membranes, operands, totals, reset = (
            Signal(layout, name=name, reset_less=True)
            for name in ("membranes", "operands", "totals", "reset")
        )
        spikes = Signal(lanes, reset_less=True)
        m.d.sync += membranes.eq(read_port.data)
        with m.If(firsts[2]):
            m.d.sync += membranes.as_value().eq(0)
        thresholds = None
        if constants.threshold is not None:
            m.submodules.thresholds = threshold_memory = constant_memory(
                (constants.threshold,), layout, plan, unused=(1,)
            )
            threshold_port = threshold_memory.read_port()
            m.d.comb += threshold_port.addr.eq(words[3])
            thresholds = threshold_port.data
        floors = self._per_channel(m, "floors", constants.floor, words[3])
        resets = self._per_channel(m, "resets", constants.restart, words[3])
        for lane in range(lanes):
            m.d.sync += [
                operands[lane].eq(self.currents[lane] + added_port.data[lane]),
                totals[lane].eq(membranes[lane] + operands[lane]),
                reset[lane].eq(totals[lane]),
            ]
            if thresholds is None:
                continue
            excess = Signal(signed(width + 1), name="excess")
            m.d.comb += excess.eq(totals[lane] - thresholds[lane])
            m.d.sync += spikes[lane].eq(~excess[-1])
            if floors is not None:
                with m.If(totals[lane] < floors[lane]):
                    m.d.sync += reset[lane].eq(floors[lane])
            with m.If(~excess[-1]):
                m.d.sync += reset[lane].eq(excess if resets is None else resets[lane])

        # Write.
        write_port = memory.write_port()
        m.d.comb += [
            write_port.addr.eq(addresses[INTEGRATOR]),
            write_port.data.eq(reset),
            write_port.en.eq(in_flight[-1]),
            self.fired.eq(in_flight[-1]),
            self.spikes.eq(spikes),
            self.membranes.eq(reset),
        ]
        return m

    def _per_channel(
        self, m: Module, name: str, values: np.ndarray | None, word: Value
    ) -> Value | None:
        """The values of the channels of ``word``, one cycle later; None without values."""
        if values is None:
            return None
        if (values == values[0]).all():
            value = Const(int(values[0]), signed(self.plan.membrane_width))
            return [value] * self.plan.membrane_lanes
        m.submodules[name] = memory = constant_memory(
            (values,), membrane_layout(self.plan), self.plan, unused=(0,)
        )
        port = memory.read_port()
        m.d.comb += port.addr.eq(word)
        return port.data
