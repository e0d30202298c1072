"""Twelve designs keep the figures that are on record in ``recorded/figures.json``.

Run this file as a script to record them anew, after a change that is meant to change them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.recorded.designs import DESIGNS
from tests.recorded.figures import figures_of

RECORD = Path(__file__).parent / "recorded" / "figures.json"


@pytest.mark.parametrize("name", DESIGNS)
def test_design_is_as_recorded(name: str) -> None:
    """Network, spikes, membranes, logits, cycles and cells."""
    expected = json.loads(RECORD.read_text(encoding="utf-8"))[name]
    found = json.loads(json.dumps(figures_of(DESIGNS[name])))
    assert found.keys() == expected.keys()
    for what, value in expected.items():
        assert found[what] == value, f"{name}: {what}"


if __name__ == "__main__":
    figures = {name: figures_of(design) for name, design in DESIGNS.items()}
    RECORD.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
