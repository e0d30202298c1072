"""The timed process network itself: what waits for what, and what stands still."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from hwgen.plan.timing.membrane import Grants
from hwgen.plan.timing.process import FIFO_DEPTH, Link, run


def producer(link: Link, words: int) -> Iterator[int]:
    """A word every cycle, as long as the FIFO at the end of its pipeline has room."""
    cycle = -1
    for _ in range(words):
        while (free := link.promised()) < 0:
            yield len(link.ready)
        cycle = max(cycle + 1, free)
        link.ready.append(cycle)


def consumer(link: Link, words: int, pace: int) -> Iterator[int]:
    """Takes a word every ``pace`` cycles."""
    cycle = -pace
    for index in range(words):
        while len(link.ready) <= index:
            yield len(link.taken)
        cycle = max(cycle + pace, link.ready[index])
        link.taken.append(cycle)


@pytest.mark.parametrize("first", [0, 1])
def test_a_slow_consumer_sets_the_pace_once_the_fifo_is_full(first: int) -> None:
    """Whichever process runs first."""
    link = Link()
    processes = [producer(link, 40), consumer(link, 40, 3)]
    run(processes[first:] + processes[:first])
    assert link.taken == [3 * n for n in range(40)]
    # Full after 23 words, since eight have left by then; from then on a word is promised the
    # cycle after one has left.
    assert link.ready[:23] == list(range(23))
    assert link.ready[23:] == [cycle + 1 for cycle in link.taken[8 : 40 - FIFO_DEPTH]]


def test_units_that_wait_for_each_other_are_named_as_such() -> None:
    link = Link()
    with pytest.raises(RuntimeError, match="2 units wait for each other"):
        run([producer(link, FIFO_DEPTH + 1), consumer(Link(), 1, 1)])


def test_no_window_is_granted_in_the_cycle_after_a_pass() -> None:
    """Two passes of two timesteps of six windows, which come without a gap: the cycles of
    ``test_two_banks_accumulate_while_they_fire``."""
    plan: Any = SimpleNamespace(
        kind="two-phase", is_single_phase=False, fractional=False, ramp_in=False,
        scanners=1, positions=6, fold=1, timesteps_in=2, banks=2, parts=1,
    )  # fmt: skip
    grants = Grants(plan)
    cycles = []
    for _ in range(24):
        cycles.append(grants.next())
        grants.grant(cycles[-1])
    assert cycles == [*range(12), *range(13, 25)]
    assert grants.next() == -1  # both banks hold a pass, and none has fired
