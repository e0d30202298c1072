"""Every way to give data is right, or refused in one line: the cases of benchmarks/inputs.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.input_cases import CASES
from benchmarks.input_samples import Case
from benchmarks.inputs import as_expected, attempt


def test_there_are_thirty_ways_and_more() -> None:
    assert len(CASES) >= 50
    assert len({case.name for case in CASES}) == len(CASES)
    assert sum(case.refused is None for case in CASES) >= 30


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_data_is_right_or_refused(case: Case, tmp_path: Path) -> None:
    if case.name == "folder of images by class":
        pytest.importorskip("PIL", reason="Pillow is not installed: pip install 'hwgen[images]'")
    outcome = attempt(case, tmp_path, convert=False)
    assert as_expected(case, outcome), outcome
    assert not Path("unpickled").exists()
