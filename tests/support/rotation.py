"""Cases that take turns: each run of the suite has a tenth of them, ten runs have all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

TURNS = 10
ALL = "all"
CHOICES = (*map(str, range(TURNS)), ALL)


def rotating(cases: Iterable[Any]) -> list[Any]:
    """Parameters of a test for ``cases``, of which a run has those whose turn it is.

    A case is a value, or a tuple for a test with several parameters. For tests that take seconds
    a case, and whose cases are alike: random networks, mostly.
    """
    values = [case if isinstance(case, tuple) else (case,) for case in cases]
    if len(values) < TURNS:
        raise ValueError(f"{len(values)} cases leave some of the {TURNS} turns without any")
    return [
        pytest.param(*value, marks=pytest.mark.turn(number)) for number, value in enumerate(values)
    ]


def todays_turn() -> str:
    """Changes at midnight UTC, so that a second run on the same day has the same cases."""
    return str(datetime.now(tz=UTC).toordinal() % TURNS)


def split(items: Sequence[pytest.Item], turn: str) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The items that run in ``turn``, and those that wait for another one."""
    now: list[pytest.Item] = []
    later: list[pytest.Item] = []
    for item in items:
        marker = item.get_closest_marker("turn")
        waits = marker and turn not in (ALL, str(marker.args[0] % TURNS))
        (later if waits else now).append(item)
    return now, later
