"""What a node gives: spike trains of some shape, code and length."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.network.inverse_leak import DOUBLE, InverseLeak

Shape = tuple[int, int, int]
Pair = tuple[int, int]

CODES = ("radix", "rate", "ttfs")
"""What a train s[1 … T] stands for: radix q = Σ s[t]·2^(T−t); rate q = Σ s[t]; ttfs q = T + 1 − t*
of its only spike, at step t*, and 0 for none.

A radix train of a leak k < 2 stands for the real number Σ s[t]·k^(T−t). Its q is still the train
read as a binary number: a name for the train, not its value, but in the same order (below)."""
MAX_TIMESTEPS = {"radix": 16, "rate": 1024, "ttfs": 1024}


def code_max(code: str, timesteps: int) -> int:
    """Largest value q_max that a train of ``timesteps`` steps stands for."""
    return (1 << timesteps) - 1 if code == "radix" else timesteps


@dataclass(frozen=True, kw_only=True)
class TrainType:
    """What a node gives: ``shape`` (channels, height, width), ``code`` and ``timesteps``.

    ``ones_first`` says whether a rate train holds its spikes first (two-phase neurons). ``leak`` is
    that of a radix train's sender, by which its readers decode it. ``held`` is 0 for a train;
    otherwise the value that the train stands for is itself the input of whoever reads it, the same
    in each of ``held`` timesteps (direct input).
    """

    shape: Shape
    code: str
    timesteps: int
    ones_first: bool = False
    leak: InverseLeak = DOUBLE
    held: int = 0

    @property
    def q_max(self) -> int:
        return code_max(self.code, self.timesteps)

    @property
    def fractional(self) -> bool:
        """Whether the trains are those of a leak k < 2."""
        return self.code == "radix" and not self.leak.doubles

    @property
    def in_order(self) -> bool:
        """Of two trains, the one that spikes first where they differ stands for more.

        For k < 2 this holds of the trains that neurons fire. Where one did not spike its membrane
        was below the level D, so that all it fires after that step is worth less than that spike:
        a fired spike takes D off the membrane, which grows by at most k in a step.
        """
        return self.code != "rate" or self.ones_first
