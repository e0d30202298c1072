"""Where spikes come from."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.network.checks import require, require_timesteps
from hwgen.network.signals import CODES, Shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Input:
    """Images of unsigned integer pixels x, encoded into trains of T = ``timesteps`` steps.

    radix   s[t] = bit (pixel_bits − t) of x, t = 1 … T: the first T bits, most significant
            first; 0 where t > pixel_bits. So q = ⌊x·2^(T−pixel_bits)⌋.
    rate    a ← a + x;  s[t] = a ≥ 2^pixel_bits;  a ← a − s[t]·2^pixel_bits, with
            a₀ = 2^(pixel_bits−1). So q = ⌊(T·x + a₀) / 2^pixel_bits⌋ (ECC, Alg. 1, κ = 2^bits).
    ttfs    one spike at t = T + 1 − q with the same q, none where q = 0 (TTFS, Eq. 1).

    Parameters
    ----------
    shape : (channels, height, width)
    timesteps : int
    code : "radix", "rate" or "ttfs"
    pixel_bits : int
        Bits of a pixel, 1 … 16.
    """

    shape: Shape
    timesteps: int
    code: str = "radix"
    pixel_bits: int = 8
    name: str = "input"

    def verify(self) -> None:
        require(
            len(self.shape) == 3 and all(isinstance(n, int) and n >= 1 for n in self.shape),
            f"{self.name}: shape must be (channels, height, width), all positive, not {self.shape}",
        )
        require(self.code in CODES, f"{self.name}: code must be one of {CODES}, not {self.code!r}")
        require_timesteps(self.timesteps, self.code, where=self.name)
        require(
            isinstance(self.pixel_bits, int) and 1 <= self.pixel_bits <= 16,
            f"{self.name}: pixel_bits must be an integer from 1 to 16, not {self.pixel_bits!r}",
        )
