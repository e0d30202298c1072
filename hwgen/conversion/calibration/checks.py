"""Warnings about calibration data: images that hold nothing, labels that are not of the model."""

from __future__ import annotations

import numpy as np

from hwgen.caution import warn


def check_images(images: np.ndarray) -> None:
    """Warn of images without content: they calibrate no threshold."""
    flat = images.reshape(len(images), -1)
    constant = int((flat == flat[:, :1]).all(axis=1).sum())
    if not flat.any():
        warn("calibration images: all are black; pass training images, as the model saw them")
    elif 2 * constant >= len(images):
        warn(
            f"calibration images: {constant} of {len(images)} have the same value in every pixel; "
            f"pass training images, as the model saw them"
        )
