"""What a node gives: spike trains of some shape, code and length."""

from __future__ import annotations

from dataclasses import dataclass

Shape = tuple[int, int, int]
Pair = tuple[int, int]

CODES = ("radix", "rate", "ttfs")
"""What a train s[1 … T] stands for: radix q = Σ s[t]·2^(T−t); rate q = Σ s[t]; ttfs q = T + 1 − t*
of its only spike, at step t*, and 0 for none."""
MAX_TIMESTEPS = {"radix": 16, "rate": 1024, "ttfs": 1024}


def code_max(code: str, timesteps: int) -> int:
    """Largest value q_max that a train of ``timesteps`` steps stands for."""
    return (1 << timesteps) - 1 if code == "radix" else timesteps


@dataclass(frozen=True, kw_only=True)
class Signal:
    """What a node gives: ``shape`` (channels, height, width), ``code`` and ``timesteps``.

    ``ones_first`` says whether a rate train holds its spikes first (two-phase neurons). ``held`` is
    0 for a train; otherwise the value that the train stands for is itself the input of whoever
    reads it, the same in each of ``held`` timesteps (direct input).
    """

    shape: Shape
    code: str
    timesteps: int
    ones_first: bool = False
    held: int = 0

    @property
    def q_max(self) -> int:
        return code_max(self.code, self.timesteps)

    @property
    def in_order(self) -> bool:
        """Of two trains, the one that spikes first where they differ stands for more."""
        return self.code != "rate" or self.ones_first
