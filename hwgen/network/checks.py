"""Rules that the parts of a network share."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwgen.errors import NetworkError
from hwgen.network.trains import Code, Pair, Quad, Shape

MAX_WEIGHT_BITS = 16


def require(condition: bool, message: str) -> None:
    """Raise :class:`.NetworkError` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise NetworkError(message)


def require_text(name: str) -> None:
    """Require a name that files can hold: any characters, but no halves of surrogate pairs."""
    require(
        name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name),
        f"the name {name!r} holds half of a surrogate pair, which is no character, so that no file "
        f"can hold it; rename it",
    )


def require_integers(array: Any, ndim: int, *, where: str, what: str, bits: int = 62) -> None:
    """Require a signed, non-empty integer array of ``ndim`` axes whose values fit ``bits``."""
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


def require_int(value: Any, low: int, high: int, *, where: str, what: str) -> None:
    """Require an integer from ``low`` to ``high``."""
    require(
        isinstance(value, int) and low <= value <= high,
        f"{where}: {what} must be an integer from {low} to {high}, not {value!r}",
    )


def require_timesteps(timesteps: Any, code: Code, *, where: str) -> None:
    """Require a length that a train of ``code`` may have."""
    require(
        isinstance(timesteps, int) and 1 <= timesteps <= code.max_timesteps,
        f"{where}: timesteps must be an integer from 1 to {code.max_timesteps}, not "
        f"{timesteps!r}, in a {code} train",
    )


def require_windows(
    shape: Shape, kernel: Pair, padding: Quad, *, source: str, where: str, what: str = "window"
) -> None:
    """Require a padding less than the kernel, and a map of ``source`` that holds a window."""
    (ky, kx), (top, left, bottom, right) = kernel, padding
    require(
        min(padding) >= 0 and max(top, bottom) < ky and max(left, right) < kx,
        f"{where}: padding {padding} must be at least 0 and less than the kernel ({ky}, {kx})",
    )
    require(
        shape[1] + top + bottom >= ky and shape[2] + left + right >= kx,
        f"{where}: the {ky}×{kx} {what} does not fit the {shape[1]}×{shape[2]} map of {source!r} "
        f"with padding {padding}",
    )
