"""How fast an inverse-leaky membrane grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from hwgen.errors import NetworkError

MAX_LEAK_BITS = 8

Integer = TypeVar("Integer", int, np.ndarray)


@dataclass(frozen=True, kw_only=True)
class InverseLeak:
    """V ← V + ⌊V·n / 2^m⌋ in each step: the inverse leak k = 1 + n/2^m, 1 < k ≤ 2.

    The floor is an arithmetic right shift, for V below 0 too. SpikeConverter's Eq. 12 has k ≤ 2, so
    that a soft reset can always bring the membrane down. Each k has one form, its lowest terms:
    k = 2 is n = 1, m = 0, and any other n is odd. :data:`.NO_LEAK`, n = 0, is the k = 1 of rate and
    ttfs trains; no neuron is given it.

    Parameters
    ----------
    n : int
        1 … 2^m, odd.
    m : int
        0 … 8.
    """

    n: int = 1
    m: int = 0

    @property
    def k(self) -> float:
        """Factor of the membrane per timestep."""
        return 1 + self.n / (1 << self.m)

    @property
    def doubles(self) -> bool:
        """Whether k = 2."""
        return self.n == 1 and self.m == 0

    @property
    def rounds(self) -> bool:
        """Whether k is not an integer, so that membranes need fractional bits."""
        return self.m > 0

    @property
    def numerator(self) -> int:
        """N = 2^m + n, so that k = N / 2^m."""
        return (1 << self.m) + self.n

    def balance(self, level: np.ndarray) -> np.ndarray:
        """⌈D·2^m/n⌉: the smallest membrane whose growth makes up for the subtraction of ``level``.

        Exact with object arrays; k must be above 1.
        """
        return -(-(level << self.m) // self.n)

    def grow(self, values: Integer) -> Integer:
        """L(V) = V + ⌊V·n / 2^m⌋ of an int, or of an integer or object array."""
        grown: Integer = values + (values * self.n >> self.m)
        return grown

    def __str__(self) -> str:
        return f"{self.n}/2^{self.m}"

    def verify(self, *, where: str) -> None:
        """Raise :class:`.NetworkError` unless this is a neuron's leak, in lowest terms."""
        whole = all(type(part) is int for part in (self.n, self.m))
        if not whole or not 0 <= self.m <= MAX_LEAK_BITS or not 1 <= self.n <= 1 << self.m:
            raise NetworkError(
                f"{where}: leak must be n/2^m with m from 0 to {MAX_LEAK_BITS} and n from 1 to "
                f"2^m, not {self.n!r}/2^{self.m!r}"
            )
        if self.m and not self.n % 2:
            raise NetworkError(
                f"{where}: leak must be in lowest terms, so halve both parts of {self}"
            )


DOUBLE = InverseLeak()
"""k = 2: the membrane doubles."""
NO_LEAK = InverseLeak(n=0)
"""k = 1: the membrane stays as it is."""
