"""Provenance: typed in Python, plain values in the network."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from hwgen.conversion import Provenance
from hwgen.conversion.choices import Choice
from hwgen.errors import ArtefactError
from tests.support.conversion import convert
from tests.support.float_models import pixels, tiny_cnn


def words_in(value: Any) -> list[type]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [kind for item in items for kind in words_in(item)] or [type(value)]


def test_what_is_read_is_what_was_written() -> None:
    images, labels = pixels((2, 8, 8), samples=20), np.arange(20) % 4
    network = convert(tiny_cnn(), images, labels=labels, mean=[0.4, 0.6], std=0.5, scale=0.01)
    plain = dict(network.provenance)
    assert not any(issubclass(kind, Choice) for kind in words_in(plain))
    assert json.loads(json.dumps(plain)) == plain
    found = Provenance.read(plain)
    assert (found.method, found.scale, found.mean, found.std) == (
        "spikeconverter", 0.01, [0.4, 0.6], [0.5],
    )  # fmt: skip
    assert found.options["neuron"] == "ilif"
    assert found.calibration_images == 20
    assert found.float_accuracy == plain["float_accuracy"]
    assert found.plain() == {key: plain[key] for key in found.plain()}
    assert set(plain) - set(found.plain()) == {
        "input_scale", "input_offset", "output_scales", "zero_points", "silent_layers",
        "logit_scale",
    }  # fmt: skip


def test_a_network_of_other_origin_has_defaults() -> None:
    found = Provenance.read({"author": "somebody"})
    assert (found.scale, found.mean, found.std, found.float_accuracy) == (1 / 255, None, None, None)
    assert "float_accuracy" not in found.plain()


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"fidelity": 3}, "fidelity: .*not 3"),
        ({"fidelity": {"images": 1}}, r"fidelity\.held_out: Field required"),
        ({"trials": 3}, "trials: .*not 3"),
        ({"trials": [{"name": "a"}]}, r"trials\.0\.agreement: Field required"),
        ({"mean": "0.5"}, "mean: .*not '0.5'"),
        ({"scale": None}, "scale: .*not None"),
        ({"warnings": "none"}, "warnings: .*not 'none'"),
    ],
)
def test_known_names_with_values_of_another_type(plain: dict[str, Any], message: str) -> None:
    with pytest.raises(ArtefactError, match=f"provenance was not written by hwgen: {message}"):
        Provenance.read(plain)
