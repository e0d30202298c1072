"""The tests that docs/mutations.md names exist, each in the file that stands before it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"


def missing(text: str) -> list[str]:
    """Test files, and tests of the file named before them, that do not exist."""
    wrong = []
    for line in text.splitlines():
        source = None
        for name in re.findall(r"`((?:\w+/)*test_\w+)`", line):
            path = TESTS / f"{name}.py"
            if path.exists():
                source = path.read_text()
            elif source is None or not re.search(rf"def {name}\(", source):
                wrong.append(name)
    return wrong


def test_named_tests_exist() -> None:
    text = (ROOT / "docs/mutations.md").read_text()
    assert text.count("`test_") > 100
    assert missing(text) == []


def test_a_test_of_another_file_is_missing() -> None:
    assert missing("`golden/test_pool` `test_packets`") == ["test_packets"]
    assert missing("`golden/test_pool` `test_gate_of_counts_by_hand`") == []
    assert missing("`test_gate_of_counts_by_hand`") == ["test_gate_of_counts_by_hand"]
