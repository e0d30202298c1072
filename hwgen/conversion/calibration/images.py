"""Checks, layout and choice of calibration images."""

from __future__ import annotations

import copy
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from hwgen.conversion.frontend.float_model import normalisation
from hwgen.conversion.frontend.torch_program import BATCH, MODEL_ERRORS, user_input
from hwgen.conversion.options import Options
from hwgen.datasets.images import as_images, channels_last, channels_to_front
from hwgen.datasets.labels import as_labels
from hwgen.datasets.scaling import Scaling, find_pixels
from hwgen.datasets.sources import as_arrays
from hwgen.errors import ConversionError, DataError
from hwgen.golden.images import as_frames

WHERE = "calibration images"


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """Images or frames of events, checked.

    Parameters
    ----------
    pixels : uint8 or uint16 array
    labels : int64 array, or None
    input_code : str or None
        "events" for frames.
    scale : float
        Factor of a pixel, or of an event.
    scaling : Scaling
        With the mean and std of the conversion.
    """

    pixels: np.ndarray
    labels: np.ndarray | None
    input_code: str | None
    scale: float
    scaling: Scaling


def as_calibration(
    images: object,
    labels: object,
    model: nn.Module | ExportedProgram,
    *,
    timesteps: int,
    input_code: str | None,
    scaling: Scaling,
) -> Calibration:
    """Checked images, or frames of ``timesteps``, from what a user gives.

    Raises :class:`.DataError`, or :class:`.ConversionError` for a code that does not go with them.
    """
    array, own_labels = as_arrays(images, where=WHERE)
    frames = array.ndim == 5
    input_code = input_code or ("events" if frames else None)
    if (input_code == "events") != frames:
        raise ConversionError(
            "input_code 'events' goes with frames (samples, timesteps, channels, height, width), "
            f"and other codes with images; here is {input_code!r} with shape {array.shape}"
        )
    if frames:
        pixels, default = _as_frames(array, timesteps=timesteps), 1 / timesteps
    else:
        pixels = as_images(_as_model_takes(model, array), where=WHERE, channels_first=True)
        default = 1 / 255
    if pixels.dtype.kind == "f":
        scale = default if scaling.scale is None else scaling.scale
        normalisation(pixels.shape[1], scale, scaling.mean, scaling.std)
        pixels, scaling = find_pixels(pixels, scaling, where=WHERE)
    given = own_labels if labels is None else labels
    return Calibration(
        pixels=pixels,
        labels=None if given is None else as_labels(given, len(pixels), where="calibration labels"),
        input_code=input_code,
        scale=default if scaling.scale is None else scaling.scale,
        scaling=scaling,
    )


def _as_model_takes(model: object, images: np.ndarray) -> np.ndarray:
    """``images`` with channels in front if their last axis may be the channels.

    That is what a model decides: it accepts such images, and not the given ones.
    """
    if not isinstance(model, nn.Module | ExportedProgram):  # convert() says what a model is
        return images
    if not channels_last(images) or _accepts(model, images.shape[1:]):
        return images
    turned = channels_to_front(images)
    return np.ascontiguousarray(turned) if _accepts(model, turned.shape[1:]) else images


def _accepts(model: nn.Module | ExportedProgram, shape: tuple[int, ...]) -> bool:
    """Whether a model runs on images of ``shape``."""
    if isinstance(model, ExportedProgram):
        lengths = tuple(user_input(model).meta["val"].shape[1:])
        return all(not isinstance(n, int) or n == m for n, m in zip(lengths, shape))
    try:
        module = copy.deepcopy(model).eval().cpu().float()
        with torch.no_grad(), redirect_stdout(sys.stderr):
            module(torch.zeros(BATCH, *shape))
    except MODEL_ERRORS:
        return False
    return True


def _as_frames(array: np.ndarray, *, timesteps: int) -> np.ndarray:
    where = "calibration frames of events"
    if array.size == 0:
        raise DataError(f"{where}: must not be empty, not of shape {array.shape}")
    if array.shape[1] != timesteps:
        raise DataError(
            f"{where}: have {array.shape[1]} timesteps, but the input has {timesteps}; split the "
            f"events into {timesteps} frames"
        )
    return as_frames(array, where=where)


def spread(length: int, wanted: int) -> np.ndarray:
    """Indices of ``wanted`` items (all, if there are fewer), evenly spread over ``length``."""
    return np.linspace(0, length - 1, min(length, wanted)).round().astype(int)


def bits_of(pixels: np.ndarray) -> int:
    """Bits of the largest of ``pixels``; those of their type if all are 0."""
    return int(pixels.max()).bit_length() or 8 * pixels.dtype.itemsize


def require_range(pixels: np.ndarray, options: Options) -> None:
    """Raise :class:`.ConversionError` if a pixel needs more than ``pixel_bits``."""
    bits, largest = options.pixel_bits or 8, int(pixels.max())
    if largest >= 1 << bits:
        raise ConversionError(f"pixels must fit {bits} bits, but the largest is {largest}")
