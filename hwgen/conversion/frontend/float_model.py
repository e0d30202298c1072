"""The float model on raw pixels, as the reference for a converted network.

It gets (scale · pixel − mean) / std.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from hwgen.conversion.frontend.torch_program import BATCH, export, run_program
from hwgen.errors import ConversionError
from hwgen.network import decide

Numbers = float | Sequence[float] | np.ndarray
_BATCH = 256


def normalisation(
    channels: int, scale: float, mean: Numbers | None, std: Numbers | None
) -> tuple[np.ndarray, np.ndarray]:
    """Factor and offset, each (channels,): (scale·x − mean) / std = factor · x + offset.

    Raises :class:`.ConversionError` for numbers that are not finite, or not one per channel.
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


def float_classes(
    model: nn.Module | ExportedProgram,
    images: np.ndarray,
    *,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    scale: float = 1 / 255,
    progress: Callable[[int], object] | None = None,
) -> np.ndarray:
    """Classes of the float model, int64 (samples,), by the rule of :func:`hwgen.network.decide`.

    ``images`` (samples, channels, height, width) are scaled by :func:`normalisation`. ``progress``
    gets the number of images done after each batch. Raises :class:`.ConversionError` if the model
    does not accept such images.
    """
    factor, offset = (
        torch.from_numpy(numbers.reshape(-1, 1, 1)).float()
        for numbers in normalisation(images.shape[1], scale, mean, std)
    )
    batch = max(BATCH, min(_BATCH, len(images)))
    program = export(model, images.shape[1:], batch=batch)
    classes = []
    for start in range(0, len(images), _BATCH):
        pixels = torch.from_numpy(images[start : start + _BATCH].astype(np.float32))
        ready = pixels * factor + offset
        classes.append(decide(run_program(program, ready.numpy())))
        if progress is not None:
            progress(start + len(pixels))
    return np.concatenate(classes)
