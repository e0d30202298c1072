"""The membrane unit of each kind of layer."""

from amaranth import Module, Signal, Value
from amaranth.lib.memory import Memory

from hwgen.plan.units.layer import LayerPlan, UnitKind
from hwgen.plan.units.layer_constants import NeuronConstants
from hwgen.rtl.neuron.constant_current import ConstantCurrentPipeline
from hwgen.rtl.neuron.constants import constant_memory, read_row
from hwgen.rtl.neuron.inverse_leak import CONSTANTS, LEVELS, InverseLeakPipeline
from hwgen.rtl.neuron.layouts import membrane_layout
from hwgen.rtl.neuron.membrane import MembranePipeline
from hwgen.rtl.neuron.single_phase import SinglePhaseUnit
from hwgen.rtl.neuron.two_phase import TwoPhaseUnit
from hwgen.rtl.streams.delays import delay


class MembraneUnit(TwoPhaseUnit):
    """Two-phase neurons and readouts whose membranes double, or stay, in each step."""

    def _make_pipeline(self) -> MembranePipeline:
        return MembranePipeline(plan=self.plan)

    def _connect_firing(
        self, m: Module, pipeline: MembranePipeline, word: Value, step: Value, output: Value
    ) -> None:
        plan = self.plan
        memory, index = _firing_constants(m, plan, self.constants, word, step)
        m.d.comb += pipeline.constants.eq(read_row(m, memory, index))
        for lane in range(plan.membrane_lanes):
            membrane = pipeline.membranes[lane]
            if plan.gives_logits:
                m.d.comb += output[lane].eq(membrane >> int(plan.leak_in.doubles))
            else:
                m.d.comb += output[lane].eq(~membrane[-1] & ~pipeline.done[lane])


class InverseLeakUnit(TwoPhaseUnit):
    """Two-phase neurons and readouts with a leak k < 2 at input or output."""

    def __init__(self, *, plan: LayerPlan, constants: NeuronConstants) -> None:
        super().__init__(plan=plan, constants=constants)
        if constants.restored is None:
            raise ValueError("constants.restored is missing; a layer with a leak k < 2 needs it")
        self._restored = constants.restored

    def _make_pipeline(self) -> InverseLeakPipeline:
        return InverseLeakPipeline(plan=self.plan)

    def _connect_firing(
        self, m: Module, pipeline: InverseLeakPipeline, word: Value, step: Value, output: Value
    ) -> None:
        plan = self.plan
        memory, index = _firing_constants(m, plan, self.constants, word, step)
        m.submodules.levels = levels = constant_memory(
            (self._restored,), membrane_layout(plan), plan, unused=(0,)
        )
        # Reading a row takes two cycles.
        index = delay(m, index, CONSTANTS - 2)
        word = delay(m, word, LEVELS - 2)
        m.d.comb += [
            pipeline.constants.eq(read_row(m, memory, index)),
            pipeline.levels.eq(read_row(m, levels, word)),
            output.eq(pipeline.membranes if plan.gives_logits else pipeline.spikes),
        ]


class ConstantCurrentUnit(TwoPhaseUnit):
    """Single-phase neurons with direct input: Phase I accumulates their constant current."""

    def _make_pipeline(self) -> ConstantCurrentPipeline:
        return ConstantCurrentPipeline(plan=self.plan, constants=self.constants)

    def _connect_firing(
        self, m: Module, pipeline: ConstantCurrentPipeline, word: Value, step: Value, output: Value
    ) -> None:
        m.d.comb += [pipeline.word.eq(word), output.eq(pipeline.spikes)]


MEMBRANE_UNITS: dict[tuple[UnitKind, bool], type[TwoPhaseUnit] | type[SinglePhaseUnit]] = {
    (UnitKind.TWO_PHASE, False): MembraneUnit,
    (UnitKind.TWO_PHASE, True): InverseLeakUnit,
    (UnitKind.READOUT, False): MembraneUnit,
    (UnitKind.READOUT, True): InverseLeakUnit,
    (UnitKind.CONSTANT_CURRENT, False): ConstantCurrentUnit,
    (UnitKind.SINGLE_PHASE, False): SinglePhaseUnit,
    (UnitKind.SOFTMAX, False): SinglePhaseUnit,
}
"""The membrane unit of each (kind of layer, whether it has a leak k < 2)."""


def make_membrane_unit(
    *, plan: LayerPlan, constants: NeuronConstants
) -> TwoPhaseUnit | SinglePhaseUnit:
    """The membrane unit of a layer."""
    return MEMBRANE_UNITS[plan.kind, plan.fractional](plan=plan, constants=constants)


def _firing_constants(
    m: Module, plan: LayerPlan, constants: NeuronConstants, word: Value, step: Value
) -> tuple[Memory, Value]:
    """(memory of the constants of Phase II, row for this word and step)."""
    # Unused lanes accumulate 0; −1 in the first step keeps them from firing, and 0 in later steps
    # keeps their few bits from overflowing.
    m.submodules.constants = memory = constant_memory(
        (constants.first, constants.later), membrane_layout(plan), plan, unused=(-1, 0)
    )
    index = Signal(range(2 * plan.words))
    m.d.comb += index.eq(word << 1 | (step != 0))
    return memory, index
