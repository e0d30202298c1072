"""Sizes of the softmax unit (:mod:`hwgen.rtl.output.softmax`)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from hwgen.network import Layer, SoftmaxReadout

STAGE_BITS = 4
"""Bits of a random number that a stage of the comparison takes, one per cycle and class."""


@dataclass(frozen=True, kw_only=True)
class SoftmaxPlan:
    """The softmax unit of a readout (:class:`hwgen.network.SoftmaxReadout`).

    Parameters
    ----------
    entries : int
        Entries of the table.
    below_width : int
        Bits of max V − V.
    entry_width, sum_width : int
        Bits of an entry of the table, and of the sum of all classes' entries.
    count_width : int
        Bits of a spike count.
    """

    classes: int
    timesteps: int
    shift: int
    entries: int
    below_width: int
    entry_width: int
    sum_width: int
    random_bits: int
    seed: int
    count_width: int

    @property
    def stages(self) -> int:
        """Stages of the comparison."""
        return ceil(self.random_bits / STAGE_BITS)

    @property
    def step_cycles(self) -> int:
        """Cycles from the start of a timestep's comparisons to the start of the next one's."""
        return STAGE_BITS * (self.classes + self.stages) + 2

    @property
    def sample_cycles(self) -> int:
        """Cycles of a sample: comparisons in all timesteps, then the counts."""
        return self.timesteps * self.step_cycles + self.classes


def plan_softmax(layer: Layer) -> SoftmaxPlan:
    """Sizes of the softmax unit of a ``layer`` with a :class:`hwgen.network.SoftmaxReadout`."""
    neuron = layer.neuron
    assert isinstance(neuron, SoftmaxReadout)
    low, high = layer.current_range()
    bias = layer.bias.astype(object)
    # The largest change of the difference of two membranes per timestep.
    apart = int((high + bias).max()) - int((low + bias).min())
    classes, largest = len(bias), int(neuron.table[0])
    return SoftmaxPlan(
        classes=classes,
        timesteps=neuron.timesteps,
        shift=neuron.shift,
        entries=len(neuron.table),
        below_width=max(1, (apart * neuron.timesteps).bit_length()),
        entry_width=largest.bit_length(),
        sum_width=(classes * largest).bit_length(),
        random_bits=neuron.random_bits,
        seed=neuron.seed,
        count_width=neuron.timesteps.bit_length(),
    )
