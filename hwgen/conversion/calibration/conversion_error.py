"""SpikeConverter's parameter optimisation: threshold and leak with the smallest error (Eq. 13).

A neuron of T firing steps whose membrane holds U_in gives::

    U_out = V_th · Σ_t Y[t]·k^−(t−1),  t = 1 … T

where V_th is the level that the membrane is compared with in the first step. Y is greedy, so U_out
is the largest such number not above U_in. For U_in uniform on 0 … U_max the expected error::

    E(V_th, k; T) = E |U_in − U_out|                                                      (Eq. 13)

is a sum over the levels: each represents all U_in up to the next level, and the largest all U_in
above it. Here U_max = 1. A rounding offset of η·V_th·k^−(T−1), the weight of the last spike, can be
added to the membrane (ECC, Eq. 9); the paper has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.conversion.calibration.levels import greedy_levels
from hwgen.errors import ConversionError
from hwgen.network import Code

_LOW, _HIGH = 0.3, 1.1  # search range, as shares of the V_th whose largest level is U_max
_TRIES = (300, 24, 24, 24, 24)  # points per grid, each grid around the best point before


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """Optimal parameters for ``timesteps`` steps; V_th and E in units of U_max."""

    timesteps: int
    k: float
    threshold: float
    error: float


def conversion_error(
    thresholds: float | np.ndarray, *, timesteps: int, k: float, eta: float = 0.0
) -> np.ndarray:
    """E / U_max for each V_th / U_max of ``thresholds``; ``eta`` is the rounding offset.

    Raises :class:`.ConversionError` for parameters out of range.
    """
    _require(timesteps, k, eta)
    wanted = np.asarray(thresholds, dtype=np.float64)
    if not (wanted > 0).all():
        raise ConversionError(f"thresholds must be above 0, not {np.min(wanted)}")
    values, _ = greedy_levels(k, timesteps)
    errors = [_error(values, v * k ** (1 - timesteps), eta) for v in wanted.ravel().tolist()]
    return np.array(errors).reshape(wanted.shape)


def best_threshold(timesteps: int, k: float = 2.0, *, eta: float = 0.0) -> Optimum:
    """Threshold V_th with the smallest error for a leak of k."""
    _require(timesteps, k, eta)
    values, _ = greedy_levels(k, timesteps)
    unit = 1 / float(values[-1])  # value of a spike in the last step if the largest level is U_max
    low, high = _LOW * unit, _HIGH * unit
    best = high
    for tries in _TRIES:
        grid = np.linspace(low, high, tries)
        best = float(grid[np.argmin([_error(values, point, eta) for point in grid.tolist()])])
        step = (high - low) / (tries - 1)
        low, high = best - step, best + step
    threshold, error = best * k ** (timesteps - 1), _error(values, best, eta)
    return Optimum(timesteps=timesteps, k=k, threshold=threshold, error=error)


def best_leak(timesteps: int, leaks: Sequence[float], *, eta: float = 0.0) -> Optimum:
    """The k among ``leaks``, and its V_th, with the smallest error."""
    if not leaks:
        raise ConversionError("leaks must hold at least one k")
    found = [best_threshold(timesteps, k, eta=eta) for k in leaks]
    return min(found, key=lambda optimum: optimum.error)


def _error(values: np.ndarray, unit: float, eta: float) -> float:
    """Σ over the levels of ∫ |U − level| dU; ``unit`` is the value of a spike in the last step."""
    levels = values * unit
    starts = np.clip(levels - eta * unit, 0, 1)
    starts[0] = 0
    ends = np.append(starts[1:], 1.0)
    below, above = starts - levels, ends - levels
    return float((above * np.abs(above) - below * np.abs(below)).sum() / 2)


def _require(timesteps: int, k: float, eta: float) -> None:
    most = Code.RADIX.max_timesteps
    if not isinstance(timesteps, int) or not 1 <= timesteps <= most:
        raise ConversionError(f"timesteps must be an integer from 1 to {most}, not {timesteps!r}")
    if not 1 < k <= 2:
        raise ConversionError(f"k must be above 1, up to 2 (Eq. 12), not {k!r}")
    if not 0 <= eta < 1:
        raise ConversionError(f"eta must be at least 0 and below 1, not {eta!r}")
