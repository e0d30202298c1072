"""Ways to choose the units, and the images that the planner's cycles are predicted from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import PlanError
from hwgen.generation import generate, generator
from hwgen.network import Network
from tests.support.command_line import small_network


def probed(images: int) -> Network:
    """A network with calibration images of one grey each: no spike, one or two per pixel."""
    greys = np.array([0, 64, 192], np.uint8)[:images].reshape(images, 1, 1, 1)
    return replace(small_network(), probe=np.tile(greys, (1, 1, 4, 4)))


def test_the_planner_s_images_come_after_the_last_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval is that of a round: before the first image comes the last one."""
    given: list[np.ndarray] = []
    monkeypatch.setattr(generator, "predict", lambda plan, trains: given.append(trains["input"]))
    model = generator.CycleModel(probed(3))
    model.predict_round(generate(probed(3)).plan)
    sent = [int(train.sum()) for train in given[-1]]
    each = [int(train.sum()) for train in model.trains["input"]]
    assert len(set(each)) == 3
    assert sent == [each[2], each[0], each[1], each[2]]


@pytest.mark.parametrize(
    ("options", "first", "second"),
    [
        ({"lanes": 2, "max_luts": 9000}, "target_fps or max_luts", "lanes"),
        ({"folding": "f.yaml", "max_luts": 9000}, "target_fps or max_luts", "folding"),
        ({"folding": "f.yaml", "lanes": 2}, "folding", "lanes"),
        ({"folding": "f.yaml", "schedule": "time"}, "folding", "schedule"),
    ],
)
def test_units_are_chosen_in_one_way(
    options: dict, first: str, second: str, tmp_path: Path
) -> None:
    if "folding" in options:
        options = options | {"folding": tmp_path / options["folding"]}
    with pytest.raises(PlanError, match=f"^{first} and {second} cannot be given together"):
        generate(probed(1), **options)
