"""The numbers that trains of a leak k ≤ 2 stand for, and the leak from what a user writes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from hwgen.errors import ConversionError
from hwgen.network import MAX_LEAK_BITS, InverseLeak

_FRACTION = re.compile(r"(\d+)/(?:2\^(\d+)|(\d+))")


def parse_leak(wish: float | str) -> InverseLeak:
    """The leak of k = ``wish``, or of "n/2^m" = k − 1, also written "5/8".

    A number becomes the nearest multiple of 2^−8. Raises :class:`ConversionError`.
    """
    if isinstance(wish, str) and (parts := _FRACTION.fullmatch(wish.strip())):
        n, power, below = (None if part is None else int(part) for part in parts.groups())
        assert n is not None
        below = below if power is None else 1 << min(power, 64)
        most = 1 << MAX_LEAK_BITS
        if not below or below > most or below & (below - 1) or not 1 <= n <= below:
            raise ConversionError(
                f"leak n/2^m must have m from 0 to {MAX_LEAK_BITS} and n from 1 to 2^m, not {wish}"
            )
        n = n * (most // below)
    else:
        try:
            k = float(wish)
        except (TypeError, ValueError):
            k = math.nan
        if not 1 < k <= 2:
            raise ConversionError(
                f"leak must be a k above 1, up to 2, such as 1.6, or k − 1 as n/2^m such as 5/2^3, "
                f"not {wish!r}"
            )
        n = max(1, round((k - 1) * (1 << MAX_LEAK_BITS)))
    places = MAX_LEAK_BITS
    while places and not n % 2:
        n, places = n // 2, places - 1
    return InverseLeak(n=n, m=places)


def greedy_levels(k: float, timesteps: int) -> tuple[np.ndarray, np.ndarray]:
    """The trains that a neuron fires whose step takes the largest part of what it has.

    Returns
    -------
    values : float64 array, ascending
        Σ s[t]·k^(T−t), in units of what a spike in the last step stands for.
    words : int64 array
        Each one's train as a binary number, ascending too.

    A train is among them if all that comes after each of its zeros is worth less than a spike
    there: of every prefix, ``room`` is how much (in units of such a spike) it may still stand for.
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
    """What the trains of a leak k < 2 stand for.

    Parameters
    ----------
    values, words : of :func:`greedy_levels`
    table : float64 array, shape (2^T,)
        The value of every train, by its binary number.
    """

    values: np.ndarray
    words: np.ndarray
    table: np.ndarray

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
        """Indices of the levels nearest to ``values``."""
        middles = (self.values[1:] + self.values[:-1]) / 2
        return np.searchsorted(middles, values)
