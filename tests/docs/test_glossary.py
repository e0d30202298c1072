"""The picture of the glossary: its figures are those of the plan, the code and the testbench."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from hwgen.artefact.build_folder import StreamEntry
from hwgen.network import Conv2d, TrainType
from hwgen.plan.units.geometry import Schedule, StreamPlan, WordLayout
from hwgen.plan.units.window_buffers import plan_path
from hwgen.simulation.layout import StreamLayout

DOCS = Path(__file__).parents[2] / "docs"
SHAPE, TIMESTEPS, WIDTH = (8, 4, 6), 3, 4


def test_units_of_the_picture_are_those_of_the_plan() -> None:
    stream = StreamPlan(node="conv1", shape=SHAPE, timesteps=TIMESTEPS, width=WIDTH)
    conv = Conv2d(source="conv1", weights=np.ones((16, 8, 3, 3), np.int32), padding=(1, 1, 1, 1))
    train_type = TrainType(shape=SHAPE, code="radix", timesteps=TIMESTEPS)
    window = plan_path(conv, stream, train_type, fan_out=16, lanes=16, scanners=1).window
    assert (window.out_rows, window.out_columns) == SHAPE[1:]
    figures = {
        "word": f"{stream.width} spikes",
        "chunk": f"{window.pack} words",
        "window": f"{window.window_chunks} chunks",
        "row": f"{stream.words_per_row} words",
        "plane": f"{stream.words_per_plane} words",
        "sample": f"{stream.words_per_sample} words",
    }
    text = (DOCS / "glossary.md").read_text()
    picture = re.findall(r">([^<>\n]+)</text>", (DOCS / "glossary_units.svg").read_text())
    assert [word for word in picture if word in figures] == list(figures)
    assert [word for word in picture if re.fullmatch(r"\d+ (spikes|words|chunks)", word)] == list(
        figures.values()
    )
    for unit, figure in figures.items():
        # A unit's line of the text version, and what belongs to it below, start with its name.
        lines = re.search(rf"^{unit} .*\n(?: .*\n)*", text, re.MULTILINE)
        assert lines is not None
        assert f" {figure}: " in lines[0], unit


def test_a_sample_of_the_picture_is_what_the_testbench_expects() -> None:
    entry = StreamEntry(
        tap=0, node="conv1", shape=SHAPE, timesteps=TIMESTEPS, width=WIDTH,
        layout=WordLayout.PIXEL, schedule=Schedule.ROW,
    )  # fmt: skip
    layout = StreamLayout(entry)
    assert layout.words == 144
    first, second = layout.locate(0, 0), layout.locate(12, 0)
    assert first is not None
    assert second is not None
    assert (first.timestep, first.row) == (1, 0)
    assert (second.timestep, second.row) == (2, 0)  # the same row's next timestep
