"""Checks of arguments: values at the limits, and of the wrong type."""

from __future__ import annotations

import pytest

from hwgen.arguments import require_integer, require_number, require_type
from hwgen.errors import DataError


def test_integers() -> None:
    for value in (2, 16):
        require_integer("bits", value, 2, 16, error=DataError)
    require_integer("samples", 10**9, 1, error=DataError)
    for value in (1, 17, 4.0, "4", True, None):
        with pytest.raises(DataError, match=f"^bits must be .* from 2 to 16, not {value!r}"):
            require_integer("bits", value, 2, 16, error=DataError)
    with pytest.raises(DataError, match="^samples must be an integer of at least 1, not 0"):
        require_integer("samples", 0, 1, error=DataError)


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
