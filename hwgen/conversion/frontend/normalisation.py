"""Scaling of pixels before the float model: (scale · pixel − mean) / std."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.errors import ConversionError

Numbers = float | Sequence[float] | np.ndarray


def normalisation(
    channels: int, scale: float, mean: Numbers | None, std: Numbers | None
) -> tuple[np.ndarray, np.ndarray]:
    """Factor and offset, each (channels,): (scale·x − mean) / std = factor · x + offset.

    Raises :class:`ConversionError` for numbers that are not finite, or not one per channel.
    """
    arrays = []
    for what, value in (("scale", scale), ("mean", mean), ("std", std)):
        try:
            array = np.asarray((what == "std") * 1.0 if value is None else value, np.float64)
        except (TypeError, ValueError) as error:
            raise ConversionError(f"{what} must be numbers, not {value!r}") from error
        if array.shape not in ((), (1,), (channels,)) or not np.isfinite(array).all():
            raise ConversionError(
                f"{what} must be one finite number, or one for each of {channels} channels, not "
                f"{value!r}"
            )
        if what != "mean" and (array <= 0).any():
            raise ConversionError(f"{what} must be positive, not {value!r}")
        arrays.append(np.broadcast_to(array, (channels,)))
    factor, average, deviation = arrays
    return factor / deviation, -average / deviation
