"""Levels: the values of trains of a leak k ≤ 2; and parsing of the option ``leak``.

Accumulation of trains of a leak k < 2 rounds in every timestep. Fractions are chosen so fine that
this costs little: a step rounds down by half a unit on average (less 2^−m of it), which the growth
after it enlarges; that loss is added to the bias. What remains, ± half of it, is at most 1/16 of a
threshold, or about one step of a weight in the readout.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from hwgen.conversion.quantisation.integers import MAX_FRAC_BITS, MIN_THRESHOLD
from hwgen.errors import ConversionError
from hwgen.network import MAX_LEAK_BITS, InverseLeak, TrainType

THRESHOLD_LEVELS = 8
"""Minimum ratio of a threshold, in units of its fraction, to the largest level that comes in."""

_FRACTION = re.compile(r"(\d+)/(?:2\^(\d+)|(\d+))")


def parse_leak(text: float | str) -> InverseLeak:
    """Leak of k = ``text``, or of k − 1 as "n/2^m", also written "5/8".

    A number is rounded to the nearest multiple of 2^−8. Raises :class:`.ConversionError`.
    """
    if isinstance(text, str) and (parts := _FRACTION.fullmatch(text.strip())):
        n, power, below = (None if part is None else int(part) for part in parts.groups())
        assert n is not None
        below = below if power is None else 1 << min(power, 64)
        unit = 1 << MAX_LEAK_BITS
        if not below or below > unit or below & (below - 1) or not 1 <= n <= below:
            raise ConversionError(
                f"leak n/2^m must have m from 0 to {MAX_LEAK_BITS} and n from 1 to 2^m, not {text}"
            )
        n = n * (unit // below)
    else:
        try:
            k = float(text)
        except (TypeError, ValueError):
            k = math.nan
        if not 1 < k <= 2:
            raise ConversionError(
                f"leak must be a k above 1, up to 2, such as 1.6, or k − 1 as n/2^m such as 5/2^3, "
                f"not {text!r}"
            )
        n = max(1, round((k - 1) * (1 << MAX_LEAK_BITS)))
    m = MAX_LEAK_BITS
    while m and not n % 2:
        n, m = n // 2, m - 1
    return InverseLeak(n=n, m=m)


def greedy_levels(k: float, timesteps: int) -> tuple[np.ndarray, np.ndarray]:
    """Values and words of the trains that a neuron can fire, both ascending.

    Each step spikes if the membrane is large enough. The value of a train is Σ s[t]·k^(T−t),
    float64, in units of a spike in the last step; its word is the train as a binary number, int64.

    A train is one of them if the rest of the train after each zero is worth less than a spike in
    the place of that zero. ``room`` is the value that the rest of each prefix may have, in units of
    a spike in the next step.
    """
    values, words, room = np.zeros(1), np.zeros(1, dtype=np.int64), np.full(1, np.inf)
    for _ in range(timesteps):
        spikes = room > 1
        silent = (values * k, words << 1, np.minimum(room, 1) * k)
        fired = ((values * k + 1)[spikes], (words << 1 | 1)[spikes], ((room - 1) * k)[spikes])
        values, words, room = (np.concatenate(pair) for pair in zip(silent, fired))
    order = np.argsort(words)
    return values[order], words[order]


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """Values of the trains of a leak k < 2."""

    values: np.ndarray  # of :func:`greedy_levels`, as words
    words: np.ndarray
    table: np.ndarray  # float64 (2^T,): value of every train, by the train as a binary number

    @classmethod
    def of(cls, leak: InverseLeak, timesteps: int) -> Levels:
        values, words = greedy_levels(leak.k, timesteps)
        trains = np.arange(1 << timesteps)
        table = np.zeros(len(trains))
        for step in range(timesteps):
            table = table * leak.k + (trains >> (timesteps - 1 - step) & 1)
        return cls(values=values, words=words, table=table)

    @property
    def largest(self) -> float:
        return float(self.values[-1])

    def nearest(self, values: np.ndarray) -> np.ndarray:
        """Index of the nearest level for each of ``values``."""
        middles = (self.values[1:] + self.values[:-1]) / 2
        return np.searchsorted(middles, values)


def rounding_loss(given: TrainType) -> float:
    """Mean loss of a membrane that reads trains of type ``given``, in its units; 0 for k = 2."""
    enlarged = sum(given.leak.k**step for step in range(given.timesteps - 1))
    return 0.5 * (1 - 0.5**given.leak.m) * enlarged


def minimum_threshold(largest_level: float) -> float:
    """Minimum threshold of a layer that reads values up to ``largest_level``."""
    return max(MIN_THRESHOLD, THRESHOLD_LEVELS * largest_level)


def readout_bits(largest_level: float) -> int:
    """Fractional bits of a readout of such trains."""
    return min(MAX_FRAC_BITS, math.ceil(math.log2(largest_level)) if largest_level > 1 else 0)
