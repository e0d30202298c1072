"""The two-stage neuron that spikes at most once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hwgen.network.neuron import FiringConstants, ThresholdNeuron
from hwgen.network.trains import Code


@dataclass(frozen=True, kw_only=True, eq=False)
class TimeToFirstSpikeNeuron(ThresholdNeuron):
    """Two-stage neuron that spikes at most once (TTFS, Eq. 1 – 5).

    accumulate   as in :mod:`hwgen.network.neuron`: the silent stage
    close        V ← min(max(V·2^f + B, 0), T2·θ + θ − 1),  f = threshold_frac_bits
    fire         V ← V + θ;  y[t] = V ≥ u_th and no spike before, with u_th = (T2 + 1)·θ: the
                 spiking stage charges with the constant current I_ext = θ (Eq. 4), t = 1 … T2

    So the train's value is q = clip(⌊(2^f·(W·q_in) + B) / θ⌋, 0, T2), the spike t* = T2 + 1 − q.

    Parameters
    ----------
    threshold : int64 array, shape (channels,)
        θ: the value of one timestep, in units of 2^−f membrane units; positive.
    timesteps : int
        T2, the paper's t_max.
    threshold_frac_bits : int
        f, 0 … 16.
    """

    kind: ClassVar[str] = "time_to_first_spike"
    code: ClassVar[Code] = Code.TTFS

    threshold_frac_bits: int = 0

    def firing_constants(self, bias: np.ndarray) -> FiringConstants:
        threshold = self.threshold.astype(object)
        first = bias.astype(object) - self.timesteps * threshold
        return FiringConstants(first=first, later=threshold, restored=0 * threshold)
