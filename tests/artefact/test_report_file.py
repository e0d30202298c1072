"""Reports in a folder that somebody else may have packed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hwgen.artefact.evaluation_file import EvaluationFile
from hwgen.errors import ArtefactError

VALID = EvaluationFile(
    network_hash="0" * 64, data="digits", images=10, accuracy=97.5, float_accuracy=None,
    float_images=None, spikes_per_neuron=1.25, synaptic_operations=1e5, macs=12,
)  # fmt: skip


def test_a_report_comes_back_and_none_is_none(tmp_path: Path) -> None:
    assert EvaluationFile.read(tmp_path) is None
    VALID.write(tmp_path)
    assert EvaluationFile.read(tmp_path) == VALID


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("NaN", "NaN is not JSON"),
        ("1e999", "a number that is infinite"),
        ('"9"', "accuracy: Input should be a valid number"),
        ("9" * 20_000, "accuracy|Invalid JSON"),
        ("[" * 5_000, "nested too deeply"),
        ('"a\\nb\\u001b[31m"', r"not 'a\\nb\\x1b\[31m'"),
    ],
    ids=lambda text: text[:12],
)
def test_a_value_that_breaks_a_rule(value: str, message: str, tmp_path: Path) -> None:
    text = json.dumps(VALID.to_json()).replace("97.5", value)
    (tmp_path / VALID.FILE).write_text(text, "utf-8")
    with pytest.raises(ArtefactError, match=message) as refused:
        EvaluationFile.read(tmp_path)
    assert "run `hwgen evaluate` again" in str(refused.value)
    assert str(refused.value).isprintable()


def test_what_is_not_a_file_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / VALID.FILE
    os.mkfifo(path)
    with pytest.raises(ArtefactError, match="evaluation.json: is a pipe and not a regular file"):
        EvaluationFile.read(tmp_path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ArtefactError, match="is a symbolic link"):
        EvaluationFile.read(tmp_path)
    path.unlink()
    path.write_bytes(b" " * (1 << 17))
    with pytest.raises(ArtefactError, match="has 131,072 bytes, but at most 65,536 are read"):
        EvaluationFile.read(tmp_path)
