"""Rules that every part of a network checks, told as one line."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen.errors import NetworkError
from hwgen.network.train_type import MAX_TIMESTEPS

MAX_WEIGHT_BITS = 16


def require(condition: bool, message: str) -> None:
    if not condition:
        raise NetworkError(message)


def require_integers(array: Any, ndim: int, *, where: str, what: str, bits: int = 62) -> None:
    require(
        isinstance(array, np.ndarray) and np.issubdtype(array.dtype, np.signedinteger),
        f"{where}: {what} must be a signed integer array, not {getattr(array, 'dtype', array)!r}",
    )
    require(array.ndim == ndim, f"{where}: {what} must have {ndim} axes, not {array.shape}")
    require(array.size > 0, f"{where}: {what} is empty, shape {array.shape}")
    low, high = int(array.min()), int(array.max())
    require(
        -(1 << (bits - 1)) <= low and high < (1 << (bits - 1)),
        f"{where}: {what} must fit {bits} bits, but spans {low} … {high}",
    )


def require_timesteps(timesteps: int, code: str, *, where: str) -> None:
    most = MAX_TIMESTEPS[code]
    require(
        isinstance(timesteps, int) and 1 <= timesteps <= most,
        f"{where}: timesteps must be an integer from 1 to {most}, not {timesteps!r}, in a "
        f"{code} train",
    )
