"""The readout: membranes as logits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hwgen.network.checks import require, require_frac_bits
from hwgen.network.neuron import FiringConstants, Neuron
from hwgen.network.storage import OMITTED
from hwgen.network.train_type import Shape, TrainType


@dataclass(frozen=True, kw_only=True, eq=False)
class Readout(Neuron):
    """Accumulates as a two-phase neuron, adds B and does not fire: its membranes are the logits.

    The class is their arg-max; the lowest index wins a tie. After an identity of weight 1 they
    are the values q of the trains: spike counts of rate trains, and of ttfs trains T + 1 − t*, so
    that the first spike wins.

    Parameters
    ----------
    frac_bits : int
        f, 0 … 16, for trains of a leak k < 2; 0 for all others. B and the logits are in units of
        2^−f.
    """

    kind: ClassVar[str] = "read_out"
    is_decoder: ClassVar[bool] = True

    frac_bits: int = field(default=0, metadata=OMITTED)
    timesteps: int = field(default=1, init=False)

    @property
    def closed_form(self) -> bool:
        """Always: without a firing phase, the logits are 2^f·(W·q_in) + B."""
        return True

    def verify(self, channels: int, given: TrainType, *, where: str) -> None:
        self._require_train(given, where=where)
        require_frac_bits(self.frac_bits, where=where, what="frac_bits")
        require(
            given.fractional or self.frac_bits == 0,
            f"{where}: a readout has frac_bits only where its sources leak by less than 2",
        )

    def train_type(self, shape: Shape, given: TrainType) -> TrainType:
        return TrainType(shape=shape, code=given.code, timesteps=given.timesteps, leak=given.leak)

    def firing_constants(self, bias: np.ndarray) -> FiringConstants:
        first = bias.astype(object)
        return FiringConstants(first=first, later=0 * first, restored=0 * first)
