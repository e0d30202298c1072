"""Spike codes: the value that a train of spikes represents, both ways."""

from __future__ import annotations

from enum import StrEnum

import numpy as np


def value_dtype(q_max: int) -> np.dtype:
    """Unsigned type for values 0 … ``q_max``."""
    return np.dtype(np.uint8 if q_max <= 0xFF else np.uint16)


class Code(StrEnum):
    """Code of a train s[1 … T], which represents the value q.

    radix   q = Σ s[t]·2^(T−t): binary, most significant bit first
    rate    q = Σ s[t]: the number of spikes
    ttfs    q = T + 1 − t* of the only spike, at step t*; 0 without a spike

    A radix train of a leak k < 2 represents the real number Σ s[t]·k^(T−t). Its q is still the
    train read as a binary number: it identifies the train and has the same order, but it is not
    the value (:attr:`hwgen.network.TrainType.in_order`).
    """

    RADIX = "radix"
    RATE = "rate"
    TTFS = "ttfs"

    @property
    def max_timesteps(self) -> int:
        """Maximum T."""
        return 16 if self is Code.RADIX else 1024

    def q_max(self, timesteps: int) -> int:
        """Largest value q of a train of ``timesteps`` steps."""
        return (1 << timesteps) - 1 if self is Code.RADIX else timesteps

    def encode_train(self, values: np.ndarray, timesteps: int) -> np.ndarray:
        """The trains that two-phase neurons fire for ``values``.

        A rate train holds its spikes first. The spikes of a pad value are those of its train.

        Parameters
        ----------
        values : integer array of any shape, 0 … q_max
        timesteps : int
            T.

        Returns
        -------
        uint8 array of zeros and ones, shape (T, \\*values.shape)
        """
        train = np.empty((timesteps, *values.shape), dtype=np.uint8)
        for step in range(timesteps):
            if self is Code.RADIX:
                train[step] = (values >> (timesteps - 1 - step)) & 1
            elif self is Code.TTFS:
                train[step] = values == timesteps - step
            else:
                train[step] = values > step
        return train

    def decode_train(self, train: np.ndarray) -> np.ndarray:
        """The values q of trains of shape (T, …), in the smallest unsigned type for q_max."""
        timesteps = len(train)
        values = np.zeros(train.shape[1:], dtype=value_dtype(self.q_max(timesteps)))
        for step in range(timesteps):
            if self is Code.RADIX:
                values <<= 1
            weight = timesteps - step if self is Code.TTFS else 1
            values += train[step] * values.dtype.type(weight)
        return values


class InputCode(StrEnum):
    """Code of an :class:`hwgen.network.Input`, whose docstring defines each."""

    RADIX = "radix"
    RATE = "rate"
    TTFS = "ttfs"
    POISSON = "poisson"
    DIRECT = "direct"
    EVENTS = "events"

    @property
    def train_code(self) -> Code:
        """Code that bounds the input's ``timesteps``; the code of its trains, except DIRECT."""
        if self in (InputCode.POISSON, InputCode.DIRECT, InputCode.EVENTS):
            return Code.RATE
        return Code(self.value)
