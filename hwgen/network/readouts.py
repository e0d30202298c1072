"""The readouts, which give logits: membranes, or the counts of a spiking softmax."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hwgen.network.checks import require, require_int, require_integers, require_timesteps
from hwgen.network.neuron import FiringConstants, Neuron
from hwgen.network.storage import OMITTED
from hwgen.network.trains import Code, Integers, Shape, TrainType

MAX_TABLE = 256
TABLE_BITS = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Readout(Neuron):
    """Accumulates as a two-phase neuron, adds B and does not fire: its membranes are the logits.

    The class is their arg-max, or the sign of a single one (:func:`hwgen.network.decide`). After an
    identity of weight 1 they are the values q of the trains: spike counts of rate trains, and of
    ttfs trains T + 1 − t*, so that the first spike wins.

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
        require_int(self.frac_bits, 0, 16, where=where, what="frac_bits")
        require(
            given.fractional or self.frac_bits == 0,
            f"{where}: a readout has frac_bits only where its sources leak by less than 2",
        )

    def train_type(self, shape: Shape, given: TrainType) -> TrainType:
        return TrainType(shape=shape, code=given.code, timesteps=given.timesteps, leak=given.leak)

    def firing_constants(self, bias: np.ndarray) -> FiringConstants:
        first = bias.astype(object)
        return FiringConstants(first=first, later=0 * first, restored=0 * first)


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftmaxReadout(Neuron):
    """Spiking softmax: classes spike with the probabilities of a softmax of their membranes.

    (Rueckauer et al., 2017, "Softmax"; thReLU report, 3.1.4.) The input must be a rate train of T
    steps.

    V ← 0, then in each timestep t = 0 … T − 1::

        V_c ← V_c + I_c[t] + B_c
        d_c = min(⌊(max_j V_j − V_c) / 2^shift⌋, entries − 1)
        e_c = table[d_c],  S = Σ e_c
        y_c = r·S < e_c·2^R

    so that class c spikes with the probability ⌈2^R·e_c / S⌉ / 2^R, which is the softmax if the
    table is an exponential. r has R = ``random_bits`` bits, new ones for each class and timestep:
    those of the shift register of :class:`hwgen.network.Input`, b[k + 32] = b[k + 22] ⊕ b[k + 2] ⊕
    b[k + 1] ⊕ b[k], with b[0] … b[31] those of ``seed``, the lowest first, and
    r = Σ b[n·R + i]·2^i with n = t·classes + c. Every sample draws the same numbers. The logits are
    the counts Σ_t y_c; the class is their arg-max, the lowest index wins a tie. A single class
    spikes in every timestep, so a softmax is of use from two on.

    Parameters
    ----------
    timesteps : int
        T.
    shift : int
        0 … 62: 2^shift membrane units are one step of the table.
    table : int64 array, shape (entries,)
        At most 256 entries of 16 bits, none greater than the one before it, the first not 0; see
        :func:`exponentials`. A class beyond the last entry takes the last entry.
    random_bits : int
        R, 1 … 16.
    seed : int
        1 … 2^32 − 1, with many ones and zeros: the first draws are its bits.
    """

    kind: ClassVar[str] = "softmax_read_out"
    two_phase = False
    is_decoder: ClassVar[bool] = True
    code: ClassVar[Code] = Code.RATE

    timesteps: int
    shift: int
    table: np.ndarray
    random_bits: int = 16
    seed: int = 0x9E3779B9

    def step_range(self, low: Integers, high: Integers) -> tuple[int, int]:
        ends = [*low, *high, *(low * self.timesteps), *(high * self.timesteps)]
        return int(min(ends)), int(max(ends))

    def train_type(self, shape: Shape, given: TrainType) -> TrainType:
        return TrainType(shape=shape, code=self.code, timesteps=self.timesteps)

    def verify(self, channels: int, given: TrainType, *, where: str) -> None:
        require_timesteps(self.timesteps, self.code, where=where)
        require_int(self.shift, 0, 62, where=where, what="shift")
        require_int(self.random_bits, 1, 16, where=where, what="random_bits")
        require_int(self.seed, 1, (1 << 32) - 1, where=where, what="seed")
        require_integers(self.table, 1, where=where, what="table", bits=TABLE_BITS + 1)
        require(
            self.table.size <= MAX_TABLE,
            f"{where}: the table must have at most {MAX_TABLE} entries, not {self.table.size}",
        )
        require(
            bool((np.diff(self.table) <= 0).all() and self.table[-1] >= 0 < self.table[0]),
            f"{where}: the table must start above 0 and never rise or fall below 0, as an "
            f"exponential does; make it with hwgen.network.exponentials",
        )
        self._require_current(given, where=where, what="a spiking softmax draws")


def exponentials(unit: float, *, max_entries: int = MAX_TABLE) -> np.ndarray:
    """The table round((2^16 − 1)·exp(−unit·i)), i = 0, 1, …, up to its first 0.

    ``unit`` is the step of the table in units of the softmax's argument. A network stores the
    integers, so that no result depends on how a machine rounds an exponential.
    """
    top = (1 << TABLE_BITS) - 1
    entries = np.rint(top * np.exp(-float(unit) * np.arange(max_entries))).astype(np.int64)
    table: np.ndarray = entries[: int(np.count_nonzero(entries)) + 1]
    return table
