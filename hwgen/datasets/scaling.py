"""The integer pixels behind images of floats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.caution import note, warn
from hwgen.errors import DataError

Numbers = float | Sequence[float] | np.ndarray
_BLOCK = 1 << 20  # values at once
_LEVELS = (255, *(n for bits in range(1, 17) for n in (2**bits - 1, 2**bits) if n < 0x10000))
_FIT = 1e-3  # of a pixel, besides the rounding of the type
_COARSE = 0.25  # a type that rounds by more of a pixel does not tell it from the next


@dataclass(frozen=True, kw_only=True, eq=False)
class Scaling:
    """Input of a model, (scale · pixel − mean) / std; None for what is not known.

    Parameters
    ----------
    scale : float or None
    mean, std : float, or one per channel, or None
    """

    scale: float | None = None
    mean: Numbers | None = None
    std: Numbers | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Reading:
    """One way to read floats x: pixel = factor · x + offset, 0 … largest, for each channel.

    ``rounds`` says whether x that are no pixels may be rounded to such.
    """

    factor: np.ndarray
    offset: np.ndarray
    largest: int
    scaling: Scaling
    text: str
    rounds: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class _Range:
    """Smallest and largest value of each channel."""

    low: np.ndarray
    high: np.ndarray

    def within(self, low: float, high: float) -> bool:
        return bool(low <= self.low.min() and self.high.max() <= high)

    def __str__(self) -> str:
        return f"from {self.low.min():.4g} to {self.high.max():.4g}"


def find_pixels(
    images: np.ndarray, scaling: Scaling, *, where: str, largest: int = 0xFFFF
) -> tuple[np.ndarray, Scaling]:
    """Pixels behind ``images``, and the scaling that makes the model's input of them.

    Integers are pixels already. Floats are, whatever fits first: pixels, if they are integers up to
    more than 1; pixels times the scale, which is 1/255 or another 1/n if it is not known; such
    values normalised by mean and std, which are found if every channel reaches from pixel 0 to 255.
    A note says what was found. Floats of 0 … 1 that are no multiples of any 1/n are rounded, with a
    warning.

    Parameters
    ----------
    images : array, shape (samples, channels, height, width)
    scaling : Scaling
        What is known.
    where : str
        Start of the messages.
    largest : int
        Largest pixel.

    Returns
    -------
    uint8 or uint16 array of the same shape, and the scaling, complete but for a scale of 1/255

    Raises
    ------
    DataError
        A value is NaN or infinite, or the floats cannot be read as pixels.
    """
    if images.dtype.kind != "f":
        return images, scaling
    span = _span(images, where)
    readings = list(_readings(span, scaling, largest))
    for reading in readings:
        if _fits(span, reading) and (pixels := _pixels(images, span, reading)) is not None:
            if reading.text and reading.scaling is not scaling:
                note(f"{where}: {images.dtype} {span} are {reading.text}")
            return pixels, reading.scaling
    for reading in readings:
        if reading.rounds and _fits(span, reading):
            pixels = _pixels(images, span, reading, round_off=True)
            assert pixels is not None
            warn(
                f"{where}: {images.dtype} {span} are no {reading.text}; rounded to them, since "
                f"the hardware takes integers; store pixels as integers to choose otherwise"
            )
            return pixels, reading.scaling
    raise DataError(
        f"{where}: {images.dtype} {span} are not pixels 0 … {largest}, nor such pixels scaled to "
        f"0 … 1, nor normalised by a known mean and std; store pixels as uint8, or pass the mean "
        f"and std of the training"
    )


def _span(images: np.ndarray, where: str) -> _Range:
    channels = images.shape[1]
    low, high = np.full(channels, np.inf), np.full(channels, -np.inf)
    for start, block in _blocks(images):
        finite = np.isfinite(block)
        if not finite.all():
            at = start + int(np.argmin(finite.reshape(len(block), -1).all(axis=1)))
            raise DataError(f"{where}: image {at} has a value that is NaN or infinite")
        low = np.minimum(low, block.min(axis=(0, 2, 3)))
        high = np.maximum(high, block.max(axis=(0, 2, 3)))
    return _Range(low=low, high=high)


def _blocks(images: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    step = max(1, _BLOCK // max(1, images[0].size))
    for start in range(0, len(images), step):
        yield start, images[start : start + step]


def _readings(span: _Range, scaling: Scaling, largest: int) -> Iterator[_Reading]:
    """Ways to read floats, the likeliest first."""
    channels = len(span.low)
    ones, zeros = np.ones(channels), np.zeros(channels)
    raw = _Reading(factor=ones, offset=zeros, largest=largest, scaling=scaling, text="")
    if span.high.max() > 1:
        yield raw
    known = scaling.scale is not None
    levels = [round(1 / scaling.scale)] if scaling.scale is not None else _LEVELS
    normalised = scaling.mean is not None or scaling.std is not None
    mean, std = _per_channel(scaling.mean, 0, channels), _per_channel(scaling.std, 1, channels)
    for level in levels:
        if not known and level > largest:
            continue
        scale = scaling.scale if scaling.scale is not None else 1 / level
        found = scaling if known else replace(scaling, scale=scale)
        top, unit = largest if known else level, _fraction(scale)
        rounds = level == levels[0]
        yield _Reading(
            factor=ones / scale,
            offset=zeros,
            largest=top,
            scaling=found,
            text=f"multiples of {unit}, taken as pixels 0 … {top}",
            rounds=rounds,
        )
        if normalised:
            yield _Reading(
                factor=std / scale,
                offset=mean / scale,
                largest=top,
                scaling=found,
                text=f"pixels 0 … {top} times {unit}, normalised by mean and std",
                rounds=rounds,
            )
        elif not known and (span.high > span.low).all() and not span.within(0, 1):
            yield from _recovered(span, scale, top)
    if span.high.max() <= 1:
        yield raw


def _recovered(span: _Range, scale: float, top: int) -> Iterator[_Reading]:
    """Pixels whose every channel was normalised by its own mean and std, and reaches 0 and top."""
    if top not in (0xFF, 0xFFFF):
        return  # a coincidence would be too likely
    exact = 1 / (span.high - span.low)
    for digits in (2, 3, 4, 5, 6, None):  # the first that fits is what somebody wrote
        std = exact if digits is None else exact.round(digits)
        if not (std > 0).all():
            continue
        mean = -span.low * exact if digits is None else (-span.low * std).round(digits)
        given = [", ".join(f"{value:.6g}" for value in values) for values in (mean, std)]
        yield _Reading(
            factor=std / scale,
            offset=mean / scale,
            largest=top,
            scaling=Scaling(scale=scale, mean=mean, std=std),
            text=f"pixels 0 … {top}, normalised by mean {given[0]} and std {given[1]}, which the "
            f"network contains",
        )


def _per_channel(value: Numbers | None, default: float, channels: int) -> np.ndarray:
    numbers = np.asarray(default if value is None else value, np.float64)
    return np.broadcast_to(numbers, (channels,))


def _fraction(scale: float) -> str:
    """``scale`` as people write it: 1/255."""
    levels = round(1 / scale)
    return f"1/{levels}" if levels > 1 and abs(levels * scale - 1) < 1e-9 else f"{scale:g}"


def _fits(span: _Range, reading: _Reading) -> bool:
    """Whether the smallest and the largest value are pixels, or would be if rounded."""
    low, high = (x * reading.factor + reading.offset for x in (span.low, span.high))
    return bool(low.min() > -0.5 and high.max() < reading.largest + 0.5)


def _pixels(
    images: np.ndarray, span: _Range, reading: _Reading, *, round_off: bool = False
) -> np.ndarray | None:
    """Pixels by a reading, or None if some are no integers, unless these are to be rounded."""
    tolerance = _tolerance(images.dtype, span, reading)
    if tolerance.max() > _COARSE and not round_off:
        return None
    factor, offset, limit = (
        values.reshape(-1, 1, 1) for values in (reading.factor, reading.offset, tolerance)
    )
    pixels = np.empty(images.shape, np.uint8 if reading.largest <= 0xFF else np.uint16)
    for start, block in _blocks(images):
        values = block.astype(np.float64) * factor + offset
        nearest = np.rint(values)
        if not round_off and (np.abs(values - nearest) > limit).any():
            return None
        pixels[start : start + len(block)] = np.clip(nearest, 0, reading.largest)
    high = int(pixels.max())
    return pixels.astype(np.uint8) if high <= 0xFF else pixels


def _tolerance(dtype: np.dtype, span: _Range, reading: _Reading) -> np.ndarray:
    """Distance from an integer, in pixels, that the rounding of the float type explains."""
    epsilon = max(np.finfo(dtype).eps, np.finfo(np.float32).eps)  # or was computed in float32
    largest = np.maximum(np.abs(span.low), np.abs(span.high))
    explained: np.ndarray = np.maximum(_FIT, float(epsilon) * largest * reading.factor)
    return explained
