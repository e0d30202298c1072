"""Sizes of a layer processing unit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from hwgen.network import Code, InverseLeak, Neuron, TrainType
from hwgen.plan.units import latencies
from hwgen.plan.units.geometry import Schedule, StreamPlan, WindowPlan
from hwgen.plan.units.softmax import SoftmaxPlan
from hwgen.plan.units.synaptic_path import SynapticPathPlan


class UnitKind(StrEnum):
    """The membrane unit of a layer."""

    TWO_PHASE = "two_phase"
    """Accumulates all timesteps of its input, then fires."""
    SINGLE_PHASE = "single_phase"
    """Fires in the timestep that it integrates."""
    CONSTANT_CURRENT = "constant_current"
    """Single-phase neurons with direct input: accumulates the bits of the input to a current, then
    fires with that current in every timestep."""
    READOUT = "readout"
    """Accumulates as a two-phase unit and sends the membranes."""
    SOFTMAX = "softmax"
    """Sends the membranes of each timestep to a softmax unit."""

    @classmethod
    def of(cls, neuron: Neuron, source: TrainType) -> UnitKind:
        """The unit for a neuron that reads trains of the type ``source``."""
        if neuron.is_decoder:
            return cls.READOUT if neuron.two_phase else cls.SOFTMAX
        if neuron.two_phase:
            return cls.TWO_PHASE
        return cls.CONSTANT_CURRENT if source.constant_steps else cls.SINGLE_PHASE

    @property
    def gives_logits(self) -> bool:
        return self in (UnitKind.READOUT, UnitKind.SOFTMAX)

    @property
    def is_two_phase(self) -> bool:
        """The neuron itself accumulates first, and fires or is read afterwards."""
        return self in (UnitKind.TWO_PHASE, UnitKind.READOUT)

    @property
    def is_single_phase(self) -> bool:
        """The words of each timestep are sent in that timestep."""
        return self in (UnitKind.SINGLE_PHASE, UnitKind.SOFTMAX)


@dataclass(frozen=True, kw_only=True)
class LayerPlan:
    """One layer processing unit.

    ``lanes`` output channels are summed in parallel, ``membrane_lanes`` of them updated per cycle.

    A *pass* is what one bank of membranes accumulates and fires: a sample with
    :attr:`Schedule.TIME`, a row of a sample with :attr:`Schedule.ROW`.

    Parameters
    ----------
    paths : tuple of SynapticPathPlan
        One for each projection.
    timesteps_in, timesteps_out : int
        Length of the longest trains that the layer reads, and of those that it sends.
    fan_out : int
        Output channels.
    code_in, code_out : Code
        Code of the trains that the layer reads and sends; a readout "sends" what it reads.
    leak_in, leak_out : InverseLeak
        Growth of the membranes in each step of accumulation and of firing.
    frac_bits : int
        f of the neuron's thresholds or of the logits.
    weight_bits, current_width, membrane_width : int
        Bits that hold every weight, the current of one timestep, and the membrane.
    banks : int
        Banks of membranes: 2 where a pass fires while the next one accumulates.
    softmax : SoftmaxPlan or None
        Softmax unit after the membranes.
    constant_current_width : int
        Bits of the current of a constant-current unit; 0 for all others.
    """

    node: str
    kind: UnitKind
    paths: tuple[SynapticPathPlan, ...]
    fan_out: int
    lanes: int
    membrane_lanes: int
    timesteps_in: int
    timesteps_out: int
    code_in: Code
    code_out: Code
    leak_in: InverseLeak
    leak_out: InverseLeak
    frac_bits: int
    weight_bits: int
    current_width: int
    membrane_width: int
    banks: int
    output: StreamPlan
    softmax: SoftmaxPlan | None = None
    constant_current_width: int = 0

    @property
    def is_single_phase(self) -> bool:
        return self.kind.is_single_phase

    @property
    def gives_logits(self) -> bool:
        return self.kind.gives_logits

    @property
    def window(self) -> WindowPlan:
        """Window of the first projection; those of all others have the same output pixels."""
        return self.paths[0].window

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(path.source for path in self.paths)

    def silent_steps(self, path: SynapticPathPlan) -> int:
        """Timesteps of a pass before the first one of the trains of ``path``."""
        return self.timesteps_in - path.window.timesteps

    @property
    def fractional(self) -> bool:
        """Membranes grow by a factor below 2 in one of the phases, so that they are rounded."""
        return self.leak_in.rounds or self.leak_out.rounds

    @property
    def accumulates_slopes(self) -> bool:
        """Currents add up to slopes by which membranes climb: ttfs trains come in."""
        return self.code_in == Code.TTFS

    @property
    def spikes_once(self) -> bool:
        """Membranes climb until they spike, once: ttfs trains are sent."""
        return self.kind == UnitKind.TWO_PHASE and self.code_out == Code.TTFS

    @property
    def membrane_latency(self) -> int:
        """Cycles from the issue of a membrane word to the first issue that reads the result."""
        if self.is_single_phase:
            return latencies.INTEGRATOR
        if self.fractional:
            return latencies.INVERSE_LEAK
        has_stage = self.accumulates_slopes or self.kind == UnitKind.CONSTANT_CURRENT
        return latencies.MEMBRANE + has_stage

    @property
    def current_latency(self) -> int:
        """Cycles from a window's last spike indices to its currents."""
        return latencies.synapse_array(self.scanners)

    @property
    def scanners(self) -> int:
        """Scanners of all projections: weight rows that can be added per cycle."""
        return sum(path.window.scanners for path in self.paths)

    @property
    def rounds(self) -> int:
        return ceil(self.fan_out / self.lanes)

    @property
    def words(self) -> int:
        """Membrane words of one output pixel."""
        return ceil(self.fan_out / self.membrane_lanes)

    @property
    def words_per_round(self) -> int:
        """Membrane words of one group of lanes."""
        return self.lanes // self.membrane_lanes

    @property
    def words_by_round(self) -> list[int]:
        """Membrane words of each group of lanes; the last may have fewer."""
        each = self.words_per_round
        return [min(each, self.words - group * each) for group in range(self.rounds)]

    @property
    def passes(self) -> int:
        """Passes of a sample."""
        return self.window.out_rows if self.window.schedule == Schedule.ROW else 1

    @property
    def positions(self) -> int:
        """Output pixels of a pass."""
        return self.window.out_rows * self.window.out_columns // self.passes

    @property
    def membrane_depth(self) -> int:
        """Membrane words of a pass."""
        return self.positions * self.words
