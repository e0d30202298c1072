"""Warnings about calibration data and float models name what is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hwgen.errors import ConversionError, HwgenWarning
from tests.support.conversion import convert
from tests.support.float_models import pixels, tiny_cnn

S = nn.Sequential
SHAPE = (2, 8, 8)
BLACK = "calibration images: all are black; pass training images, as the model saw them"


def warnings_of(model: nn.Module, images: np.ndarray, **options: Any) -> list[str]:
    """The network's own record."""
    return list(convert(model, images, **options).provenance.get("warnings", []))


def given(seen: pytest.WarningsRecorder) -> list[str]:
    return [str(item.message) for item in seen if item.category is HwgenWarning]


def right_labels(model: nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model(torch.from_numpy(images).float() / 255).argmax(dim=1).numpy()


def spread_out(classes: int) -> nn.Module:
    """One layer whose classes are all found among random images."""
    torch.manual_seed(1)
    made = S(nn.Flatten(), nn.Linear(128, classes))
    made[1].bias.data.copy_(-made[1].weight.data.sum(dim=1) / 2)
    return made.eval()


# --- images -------------------------------------------------------------------------------------


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
    assert warnings_of(tiny_cnn(), images) == warned * [
        "calibration images: 3 of 6 have the same value in every pixel; pass training images, as "
        "the model saw them"
    ]


# --- labels and accuracy ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "shift", "outside"), [(4, 0, None), (4, 1, "1 to 4"), (2, 1, "1 to 2")]
)
def test_labels_that_are_no_classes(classes: int, shift: int, outside: str | None) -> None:
    images, model = pixels(SHAPE, samples=40), spread_out(classes)
    labels = right_labels(model, images) + shift
    expected = f"calibration labels reach from {outside}, but the network has the classes 0 … "
    found = warnings_of(model, images, labels=labels)
    assert [text for text in found if text.startswith("calibration labels")] == (
        [f"{expected}{classes - 1}; give data of the same classes"] if outside else []
    )


def test_labels_of_a_single_logit() -> None:
    images = pixels(SHAPE, samples=6)
    assert not warnings_of(spread_out(1), images, labels=np.arange(6) % 2)
    (text,) = warnings_of(spread_out(1), images, labels=np.arange(6) % 3)
    assert "reach from 0 to 2, but the network has the classes 0 … 1" in text


@pytest.mark.parametrize(("right", "warned"), [(10, True), (11, False)])
def test_a_float_model_no_better_than_chance(right: int, warned: bool) -> None:
    """Of 40 images and four classes, chance is right about 10."""
    images, model = pixels(SHAPE, samples=40), spread_out(4)
    labels = right_labels(model, images)
    labels[right:] = (labels[right:] + 1) % 4
    assert warnings_of(model, images, labels=labels) == warned * [
        "the float model is right on 25.0 % of the calibration images, no better than chance "
        "(25.0 %): mean, std or scale are not those of the training, or the labels are those of "
        "other images"
    ]
    few = slice(right - 2, right + 17)  # two of 19 are right
    assert not warnings_of(model, images[few], labels=labels[few])


# --- the model ----------------------------------------------------------------------------------


def test_a_layer_that_never_fires() -> None:
    model = tiny_cnn()
    dead = next(name for name, m in model.named_modules() if isinstance(m, nn.Conv2d))
    model.get_submodule(dead).bias.data.fill_(-1e3)
    (text,) = warnings_of(model, pixels(SHAPE, samples=6))
    assert text == (
        f"{dead}: no calibration image makes a neuron fire, so later layers see nothing; check "
        f"mean, std and scale, and the model's weights"
    )


@pytest.mark.parametrize(("settled", "warned"), [(0, True), (1, False)])
def test_batch_norms_that_saw_no_image(settled: int, warned: bool) -> None:
    torch.manual_seed(2)
    model = S(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4),
        nn.ReLU(), nn.Flatten(), nn.Linear(64, 3),
    )  # fmt: skip
    images = pixels(SHAPE, samples=6)
    if settled:
        model[1].train()(model[0](torch.from_numpy(images).float() / 255))
    assert warnings_of(model, images) == warned * [
        "1: running_mean is 0 and running_var 1 in this and every other batch norm (2 in all), so "
        "none was trained; load trained weights, or run the model in training mode on images"
    ]


def test_a_model_without_batch_norms_has_none_to_warn_of() -> None:
    assert not warnings_of(spread_out(3), pixels(SHAPE, samples=6), strict=True)
