"""Checks of arguments: values at the limits, and of the wrong type."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import hwgen
from hwgen import boards, datasets
from hwgen.arguments import require_integer, require_number, require_path, require_type
from hwgen.errors import ArtefactError, DataError, HwgenError, PlanError
from hwgen.report import gather
from hwgen.synthesis import build


def test_integers() -> None:
    for value in (2, 16):
        require_integer("bits", value, 2, 16, error=DataError)
    require_integer("samples", 10**9, 1, error=DataError)
    for value in (1, 17, 4.0, "4", True, None):
        with pytest.raises(DataError, match=f"^bits must be .* from 2 to 16, not {value!r}"):
            require_integer("bits", value, 2, 16, error=DataError)
    with pytest.raises(DataError, match="^samples must be an integer of at least 1, not 0"):
        require_integer("samples", 0, 1, error=DataError)


def test_true_is_no_integer() -> None:
    """Python takes it for 1, but who writes it means something else."""
    with pytest.raises(DataError, match=r"^seed must be an integer of at least 0, not True$"):
        require_integer("seed", True, 0, error=DataError)


def test_numbers() -> None:
    for good in (1, 0.5):
        require_number("eta", good, "above 0", lambda x: x > 0, error=DataError)
    for bad in (0, float("nan"), "0.5", True, None, [1]):
        with pytest.raises(DataError, match="^eta must be a number above 0, not "):
            require_number("eta", bad, "above 0", lambda x: x > 0, error=DataError)


def test_types() -> None:
    require_type("path", "net", str, "use str(path)", error=DataError)
    with pytest.raises(DataError, match="^path must be a str, not int; use str"):
        require_type("path", 3, str, "use str(path)", error=DataError)


def test_paths() -> None:
    for path in ("net", Path("net"), PurePosixPath("net")):
        assert require_path("path", path, error=DataError) == Path("net")
    for wrong in (None, 3, b"net", ["net"]):
        with pytest.raises(DataError, match="^path must be a str or an os.PathLike, not .*; pass"):
            require_path("path", wrong, error=DataError)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (hwgen.load, ArtefactError),
        (hwgen.Build.open, ArtefactError),
        (gather, ArtefactError),
        (build, ArtefactError),
        (datasets.load, DataError),
        (datasets.holds_events, DataError),
        (boards.load, PlanError),
    ],
)
@pytest.mark.parametrize("path", [None, 3])
def test_a_path_of_another_type_is_rejected(
    function: Any, error: type[HwgenError], path: Any
) -> None:
    with pytest.raises(error, match=rf"must be a str or an os\.PathLike, not {path}; pass a path"):
        function(path)
