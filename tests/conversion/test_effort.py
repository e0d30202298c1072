"""Effort "best" tries what the options leave open; "fast" follows a rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import hwgen
from hwgen import artefact, golden
from hwgen.conversion import Finetuning, Options
from hwgen.conversion.choices import Effort, Rounding
from hwgen.conversion.effort import MARGIN, Outcome, Way, divide, ranked, ways
from hwgen.conversion.provenance import Fidelity
from hwgen.errors import ConversionError
from tests.support.float_models import pixels, tiny_cnn, trained_on_digits

IMAGES = pixels((2, 8, 8), samples=60)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"timesteps": 3}, "fitted"),
        ({"timesteps": 4}, "nearest"),
        ({"timesteps": 8, "weight_bits": 4}, "fitted"),
        ({"timesteps": 8, "weight_bits": 5}, "nearest"),
        ({"timesteps": 2, "rounding": "nearest"}, "nearest"),
    ],
)
def test_weights_are_fitted_where_it_pays(options: dict[str, Any], expected: str) -> None:
    assert Options(**options).rounding == expected


def test_images_that_calibration_does_not_need_are_held_out() -> None:
    for effort in Effort:
        chosen, measured, held_out = divide(5, 3, effort)
        assert (chosen.tolist(), measured.tolist(), held_out) == ([0, 2, 4], [1, 3], True)
    chosen, measured, held_out = divide(2000, 1000, Effort.FAST)
    assert len(chosen) == 1000
    assert len(measured) == 512
    assert held_out
    assert not set(chosen) & set(measured)


def test_the_best_effort_calibrates_on_more_images() -> None:
    for effort, expected in ((Effort.FAST, 1000), (Effort.BEST, 3000)):
        chosen, measured, _ = divide(5000, None, effort)
        assert len(chosen) == expected
        assert not set(chosen) & set(measured)


def test_one_image_in_five_is_held_out_where_calibration_would_take_all() -> None:
    chosen, measured, held_out = divide(10, 1000, Effort.BEST)
    assert (chosen.tolist(), measured.tolist(), held_out) == (
        [0, 1, 2, 3, 5, 6, 7, 8],
        [4, 9],
        True,
    )
    for count, effort in ((10, Effort.FAST), (9, Effort.BEST)):
        chosen, measured, held_out = divide(count, 1000, effort)
        assert chosen.tolist() == measured.tolist() == list(range(count))
        assert not held_out


def test_only_what_is_open_is_tried() -> None:
    options = Options(timesteps=4)
    assert [way.options.rounding for way in ways(options, Effort.BEST, {"rounding"})] == [
        Rounding.NEAREST, Rounding.FITTED,
    ]  # fmt: skip
    assert [way.options for way in ways(options, Effort.BEST, {"eta"})] == [options]
    assert [way.options for way in ways(options, Effort.FAST, {"rounding"})] == [options]


def test_the_users_training_leaves_nothing_open() -> None:
    options, asked, possible = Options(timesteps=2), Finetuning(epochs=1), Finetuning(epochs=2)
    for effort in Effort:
        (way,) = ways(options, effort, {"rounding"}, finetuning=asked, training=possible)
        assert (way.options, way.finetuning) == (options, asked)


def test_training_is_tried_where_it_may_help() -> None:
    options, possible = Options(timesteps=2), Finetuning(epochs=2)
    tried = [way.finetuning for way in ways(options, Effort.BEST, {"rounding"}, training=possible)]
    assert tried == [None, None, possible]
    (way,) = ways(options, Effort.FAST, {"rounding"}, training=possible)
    assert way.finetuning is None


def test_training_can_win() -> None:
    """Two timesteps on digits: held-out images say that the trained network is the closest."""
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    images = (digits.images[:, np.newaxis] * 15).astype(np.uint8)
    model = trained_on_digits(images[:1200], digits.target[:1200])
    network = hwgen.convert(model, images[:1200], timesteps=2)
    kept, *others = network.provenance["trials"]
    assert kept["name"] == "fine-tuning"
    assert all(kept["signal_to_error"] > other["signal_to_error"] for other in others)
    measured = network.provenance["fidelity"]["images"]
    assert network.provenance["finetuning"]["images"] == 1200 - measured == 960
    never = hwgen.convert(model, images[:1200], timesteps=2, finetuning=False)
    assert [trial["name"] for trial in never.provenance["trials"]] == [
        other["name"] for other in others
    ]
    assert never.provenance["finetuning"] is None
    right = (golden.classify(network, images[1200:]) == digits.target[1200:]).mean()
    plain = hwgen.convert(model, images[:1200], timesteps=2, effort="fast")
    assert right > (golden.classify(plain, images[1200:]) == digits.target[1200:]).mean()


@pytest.mark.parametrize("timesteps", [2, 6])
def test_the_closest_way_is_kept(timesteps: int) -> None:
    network = hwgen.convert(tiny_cnn(), IMAGES, timesteps=timesteps, weight_bits=4)
    kept, other = network.provenance["trials"]
    assert kept["signal_to_error"] > other["signal_to_error"] - MARGIN
    assert {kept["name"], other["name"]} == {"nearest rounding", "fitted rounding"}
    rounding = kept["name"].split()[0]
    assert network.provenance["options"]["rounding"] == rounding
    again = hwgen.convert(tiny_cnn(), IMAGES, timesteps=timesteps, weight_bits=4, rounding=rounding)
    assert again.provenance["fidelity"] == network.provenance["fidelity"]
    assert "trials" not in again.provenance
    for one, two in zip(network.layers, again.layers):
        np.testing.assert_array_equal(one.bias, two.bias)


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ((20.0, 20.4), "a"),
        ((20.0, 20.6), "b"),
        ((20.0, 19.0), "a"),
        ((20.0, 20.6, 20.7), "c"),
    ],
)
def test_another_way_must_be_clearly_closer(ratios: tuple[float, ...], expected: str) -> None:
    network: Any = None
    outcomes = [
        Outcome(
            way=Way(name=name, options=Options()),
            converted=network,
            fidelity=Fidelity(
                images=1, held_out=True, agreement=99.0, signal_to_error=ratio, layers={}
            ),
        )
        for name, ratio in zip("abc", ratios)
    ]
    assert ranked(outcomes)[0].way.name == expected
    assert len(ranked(outcomes)) == len(outcomes)


def test_both_ways_can_win() -> None:
    """Nearest rounding wins where weights are exact, the fit where they are coarse.

    Pixels are alike in blocks, so a fit can trade the error of one weight for that of another.
    """
    blocks = np.kron(pixels((2, 4, 4), samples=200), np.ones((1, 1, 2, 2), np.uint8))
    torch.manual_seed(0)
    exact = nn.Sequential(nn.Flatten(), nn.Linear(128, 16), nn.ReLU(), nn.Linear(16, 4)).eval()
    with torch.no_grad():
        for layer in (exact[1], exact[3]):
            layer.weight.copy_(torch.randint(-7, 8, layer.weight.shape) / 64)
    kept = {}
    for name, model, bits in (("exact", exact, 4), ("coarse", tiny_cnn(), 3)):
        network = hwgen.convert(model, blocks, timesteps=8, weight_bits=bits)
        kept[name] = network.provenance["trials"][0]["name"]
    assert kept == {"exact": "nearest rounding", "coarse": "fitted rounding"}


def test_a_method_as_published_has_one_way() -> None:
    network = hwgen.convert(tiny_cnn(), IMAGES, method="ecc", timesteps=8)
    assert "trials" not in network.provenance
    assert network.provenance["effort"] == "best"
    assert network.provenance["options"]["channel_scales"] is False


def test_each_way_is_dumped_in_a_folder_of_its_own(tmp_path: Path) -> None:
    hwgen.convert(tiny_cnn(), IMAGES, timesteps=4, dump=tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.yaml")}
    assert found == {
        "01-trace.yaml", "02-merge-clamps.yaml", "03-fuse.yaml",
        "nearest-rounding/04-quantise.yaml", "fitted-rounding/04-quantise.yaml",
    }  # fmt: skip


def test_an_unknown_effort_is_refused() -> None:
    with pytest.raises(ConversionError, match="unknown effort 'bets'; did you mean 'best'"):
        hwgen.convert(tiny_cnn(), IMAGES, effort="bets")


def test_the_artefact_keeps_what_was_measured(tmp_path: Path) -> None:
    network = hwgen.convert(tiny_cnn(), IMAGES, timesteps=4)
    artefact.save(network, tmp_path / "net")
    loaded = artefact.load(tmp_path / "net")
    for name in ("fidelity", "trials", "effort"):
        assert loaded.provenance[name] == network.provenance[name]
