"""Tables of cases with named fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def case_id(case: Iterable[Any]) -> str:
    """The part of a test's name for a case, a NamedTuple: its values in order."""
    return "-".join(str(value).replace(" ", "") for value in case)
