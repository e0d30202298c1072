"""The float network: the model with its normalisation folded in, checked against the model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from hwgen.conversion.calibration.float_run import run_float
from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.frontend.torch_program import export, run_program
from hwgen.conversion.frontend.torch_trace import trace
from hwgen.conversion.fusion.fuse import fuse
from hwgen.errors import ConversionError

_CHECKED_IMAGES = 4

Numbers = float | Sequence[float] | np.ndarray


def float_graph(
    model: nn.Module | ExportedProgram,
    pixels: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
    *,
    linear: bool = True,
) -> FloatGraph:
    """The folded float network of ``model``, checked against the model itself on a few images."""
    channels, height, width = pixels.shape[1:]
    program = export(model, (channels, height, width))
    graph = fuse(trace(program), scale=scale, offset=offset, linear=linear)
    few = pixels[:_CHECKED_IMAGES]
    ready = few * scale.reshape(-1, 1, 1) + offset.reshape(-1, 1, 1)
    wanted = run_program(program, torch.from_numpy(ready).float()).numpy()
    if not np.isfinite(wanted).all():
        raise ConversionError("the model gives logits that are NaN or infinite on these images")
    found = run_float(graph, few)
    if not _same_logits(wanted, found):
        raise RuntimeError("the folded network differs from the model: a bug of hwgen")
    return graph


def normalisation(
    channels: int, scale: float, mean: Numbers | None, std: Numbers | None
) -> tuple[np.ndarray, np.ndarray]:
    """(scale·x − mean) / std as factor · x + offset, each (channels,).

    Raises :class:`ConversionError` for numbers that are not finite, or not one a channel.
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


def _same_logits(wanted: np.ndarray, found: np.ndarray) -> bool:
    """Up to rounding, and up to a (log-)softmax at the model's end, which folding leaves out."""
    found = found - found.max(axis=1, keepdims=True)
    tolerance = 1e-3 * (1 + float(np.abs(found).max()))
    powers = np.exp(found)
    return bool(
        np.allclose(wanted - wanted.max(axis=1, keepdims=True), found, rtol=1e-3, atol=tolerance)
        or np.allclose(wanted, powers / powers.sum(axis=1, keepdims=True), atol=1e-3)
    )
