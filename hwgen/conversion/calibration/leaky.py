"""Scales of layers that read trains of a leak k < 2, whose accumulation rounds in every timestep.

Fractions are chosen so fine that rounding costs little. A step of accumulation rounds down by half
a unit on average (less 2^−m of it), which the growth after it enlarges: that loss is added to the
bias. What remains, ± half of it, is at most 1/16 of a threshold, or about one step of a weight in
the readout.
"""

from __future__ import annotations

import math

from hwgen.conversion.quantisation.integers import MAX_FRAC_BITS, MIN_THRESHOLD
from hwgen.network import TrainType

THRESHOLD_LEVELS = 8
"""Minimum ratio of a threshold, in units of its fraction, to the largest level that comes in."""


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
