"""What the integrate-and-fire neurons of the rate code share."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from hwgen.network.checks import require, require_integers
from hwgen.network.codes import Code
from hwgen.network.neuron import Integers, ThresholdNeuron
from hwgen.network.train_type import TrainType


class IntegrateAndFireNeuron(ThresholdNeuron):
    """A neuron of the rate code that may be single-phase: it starts at V₀ and stays above V_min."""

    code: ClassVar[Code] = Code.RATE

    @property
    def constants(self) -> tuple[np.ndarray, ...]:
        every = (self.threshold, self.initial, self.floor, self.restart)
        return tuple(values for values in every if values is not None)

    def step_range(self, low: Integers, high: Integers) -> tuple[int, int]:
        threshold = self.threshold.astype(object)
        none = np.zeros_like(threshold)
        initial = none if self.initial is None else self.initial.astype(object)
        restart = none if self.restart is None else self.restart.astype(object)
        lowest = np.minimum(none, restart) + np.minimum(low, 0) * self.timesteps
        if self.floor is not None:  # one step below it, the membrane is lifted
            lowest = np.maximum(lowest, self.floor.astype(object) + np.minimum(low, 0))
        highest = initial + np.maximum(high, 0) * self.timesteps
        if self.restart is not None:
            before = np.maximum(np.maximum(initial, restart), threshold - 1)
            highest = np.minimum(highest + np.maximum(restart, 0), before + np.maximum(high, 0))
        top = int(threshold.max())
        return int(lowest.min()) - top, max(int(highest.max()), top)

    def _verify_single_phase(self, channels: int, given: TrainType, *, where: str) -> None:
        if self.initial is not None:
            require_integers(self.initial, 1, where=where, what="initial", bits=48)
            require(
                self.initial.shape == (channels,)
                and bool((self.initial >= 0).all() and (self.initial < self.threshold).all()),
                f"{where}: initial must hold {channels} values from 0 to threshold − 1",
            )
        if self.floor is not None:
            require_integers(self.floor, 1, where=where, what="floor", bits=48)
            require(
                self.floor.shape == (channels,) and bool((self.floor <= 0).all()),
                f"{where}: floor must hold {channels} values that are not above 0",
            )
        self._require_current(given, where=where, what="a single-phase neuron fires")
