"""Warnings about calibration data name what is wrong with it."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.conversion import convert
from hwgen.errors import ConversionError, HwgenWarning
from tests.support.float_models import pixels, tiny_cnn

SHAPE = (2, 8, 8)
BLACK = "calibration images: all are black; pass training images, as the model saw them"


def given(seen: pytest.WarningsRecorder) -> list[str]:
    return [str(item.message) for item in seen if item.category is HwgenWarning]


def test_black_images() -> None:
    with pytest.warns(HwgenWarning) as seen:
        network = convert(tiny_cnn(), np.zeros((4, *SHAPE), np.uint8))
    assert BLACK in given(seen)
    assert network.provenance["warnings"] == given(seen)
    with pytest.raises(ConversionError, match=f"^{BLACK}$"):
        convert(tiny_cnn(), np.zeros((4, *SHAPE), np.uint8), strict=True)


@pytest.mark.parametrize(("constant", "warned"), [(2, False), (3, True)])
def test_constant_images(constant: int, warned: bool) -> None:
    images = pixels(SHAPE, samples=6)
    images[:constant] = np.arange(1, constant + 1).reshape(-1, 1, 1, 1)
    network = convert(tiny_cnn(), images)
    assert network.provenance.get("warnings", []) == warned * [
        "calibration images: 3 of 6 have the same value in every pixel; pass training images, as "
        "the model saw them"
    ]
