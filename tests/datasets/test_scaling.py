"""Pixels behind floats: found by hand-worked scales, rounded with a warning, or refused."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.datasets import Scaling, find_pixels
from hwgen.errors import DataError, HwgenNote, HwgenWarning

PIXELS = np.random.default_rng(1).integers(0, 256, (4, 3, 6, 5), dtype=np.uint8)
PIXELS[0, :, 0, :2] = 0, 255


def found(images: np.ndarray, scaling: Scaling | None = None) -> tuple[np.ndarray, Scaling]:
    return find_pixels(images, scaling or Scaling(), where="here")


def test_integers_are_pixels() -> None:
    scaling = Scaling(scale=0.5)
    pixels, same = find_pixels(PIXELS, scaling, where="here")
    assert pixels is PIXELS
    assert same is scaling


@pytest.mark.parametrize(("levels", "dtype"), [(255, np.uint8), (16, np.uint8), (4095, np.uint16)])
def test_levels_of_floats_up_to_one(levels: int, dtype: type) -> None:
    pixels = np.arange(levels + 1).reshape(1, 1, 1, -1)
    with pytest.warns(HwgenNote, match=f"multiples of 1/{levels}, taken as pixels 0 … {levels}"):
        got, scaling = found(np.float32(pixels / levels))
    np.testing.assert_array_equal(got, pixels)
    assert got.dtype == dtype
    assert scaling.scale == pytest.approx(1 / levels)


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ([0.5] * 3, [0.5] * 3),
        ([0.1307] * 3, [0.3081] * 3),
    ],
)
def test_mean_and_std_are_found(mean: list[float], std: list[float]) -> None:
    """As torchvision normalises, in float32; the numbers that somebody wrote come back exactly."""
    columns = [np.array(values, np.float32).reshape(-1, 1, 1) for values in (mean, std)]
    images = (PIXELS.astype(np.float32) / 255 - columns[0]) / columns[1]
    with pytest.warns(HwgenNote, match=f"normalised by mean {mean[0]:g}, "):
        pixels, scaling = found(images)
    np.testing.assert_array_equal(pixels, PIXELS)
    assert np.asarray(scaling.mean).tolist() == mean
    assert np.asarray(scaling.std).tolist() == std
    known = Scaling(scale=1 / 255, mean=mean, std=std)
    np.testing.assert_array_equal(found(images[1:], known)[0], PIXELS[1:])


def test_a_part_of_the_range_does_not_tell_mean_and_std() -> None:
    images = (PIXELS[1:].clip(10, 200).astype(np.float32) / 255 - 0.5) / 0.25
    with pytest.raises(DataError, match="here: float32 from .* pass the mean and std of the train"):
        found(images)
    pixels, _ = found(images, Scaling(mean=0.5, std=[0.25]))
    np.testing.assert_array_equal(pixels, PIXELS[1:].clip(10, 200))


def test_floats_between_pixels_are_rounded_with_a_warning() -> None:
    images = np.array([0.0, 0.25, 0.5003, 1.0]).reshape(1, 1, 1, 4)
    with pytest.warns(HwgenWarning, match="are no multiples of 1/255.*; rounded to them"):
        pixels, scaling = found(images)
    assert pixels.ravel().tolist() == [0, 64, 128, 255]  # 63.75 and 127.6
    assert scaling.scale == pytest.approx(1 / 255)


def test_a_given_scale_is_taken_at_its_word() -> None:
    images = np.array([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3)
    assert found(images, Scaling(scale=1 / 2))[0].ravel().tolist() == [0, 1, 2]
    assert found(images, Scaling(scale=1 / 1000))[0].ravel().tolist() == [0, 500, 1000]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    images = np.zeros((3, 1, 2, 2), np.float32)
    images[2, 0, 1, 1] = value
    with pytest.raises(DataError, match="here: image 2 has a value that is NaN or infinite"):
        found(images)


def test_half_floats_tell_256_levels_and_no_more() -> None:
    np.testing.assert_array_equal(found((PIXELS / 255).astype(np.float16))[0], PIXELS)
    fine = (np.arange(4096).reshape(1, 1, 1, -1) / 4095).astype(np.float16)
    with pytest.warns(HwgenWarning, match="rounded"):
        found(fine)
