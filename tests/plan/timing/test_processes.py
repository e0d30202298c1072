"""The timed process network: order of waiting, and deadlocks."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from hwgen.plan.timing.membrane import Grants, fire_at_once
from hwgen.plan.timing.process import Link, run
from hwgen.plan.units.latencies import CREDIT_FIFO_DEPTH
from hwgen.plan.units.layer import UnitKind


def producer(link: Link, words: int) -> Iterator[int]:
    """Send a word in every cycle, as long as the FIFO at the end of the pipeline has credits."""
    cycle = -1
    for _ in range(words):
        while (granted := link.credit()) < 0:
            yield len(link.ready)
        cycle = max(cycle + 1, granted)
        link.ready.append(cycle)


def consumer(link: Link, words: int, pace: int) -> Iterator[int]:
    """Take a word every ``pace`` cycles."""
    cycle = -pace
    for index in range(words):
        while len(link.ready) <= index:
            yield len(link.taken)
        cycle = max(cycle + pace, link.ready[index])
        link.taken.append(cycle)


@pytest.mark.parametrize("first", [0, 1])
def test_a_slow_consumer_sets_the_pace_once_the_fifo_is_full(first: int) -> None:
    """The result does not depend on the order of the processes."""
    link = Link()
    processes = [producer(link, 40), consumer(link, 40, 3)]
    run(processes[first:] + processes[:first])
    assert link.taken == [3 * n for n in range(40)]
    # Full after 23 words, since eight have left by then; from then on a credit is granted in the
    # cycle after a word has left.
    assert link.ready[:23] == list(range(23))
    assert link.ready[23:] == [cycle + 1 for cycle in link.taken[8 : 40 - CREDIT_FIFO_DEPTH]]


def test_a_deadlock_is_reported() -> None:
    link = Link()
    with pytest.raises(RuntimeError, match="2 units wait for each other"):
        run([producer(link, CREDIT_FIFO_DEPTH + 1), consumer(Link(), 1, 1)])


def test_no_window_is_granted_in_the_cycle_after_a_pass() -> None:
    """Two passes of two timesteps of six windows without gaps.

    The cycles equal those of ``test_two_banks_accumulate_while_they_fire``.
    """
    plan: Any = SimpleNamespace(
        kind=UnitKind.TWO_PHASE, is_single_phase=False, membrane_latency=4, current_latency=4,
        positions=6, rounds=1, timesteps_in=2, banks=2, words_per_round=1,
    )  # fmt: skip
    grants = Grants(plan)
    cycles = []
    for _ in range(24):
        cycles.append(grants.next())
        grants.grant(cycles[-1])
    assert cycles == [*range(12), *range(13, 25)]
    assert grants.next() == -1  # both banks hold a pass, and neither has fired


def test_single_phase_windows_wait_for_credits_not_for_earlier_words() -> None:
    """Windows of one word: currents four cycles after the grant, spikes six cycles later.

    Nothing is taken before cycle 100, so that all credits are used up.
    """
    plan: Any = SimpleNamespace(
        kind=UnitKind.SINGLE_PHASE, is_single_phase=True, membrane_latency=5, current_latency=4,
        positions=6, rounds=1, timesteps_in=3, banks=1, words=1, words_by_round=[1],
        words_per_round=1, membrane_depth=6,
    )  # fmt: skip
    grants, link = Grants(plan), Link()
    starts = []

    def synapses() -> Iterator[int]:
        for _ in range(18):
            while (start := grants.next()) < 0:
                yield len(starts)
            starts.append(start)
            grants.grant(start)

    def late() -> Iterator[int]:
        for index in range(18):
            while len(link.ready) <= index:
                yield len(link.taken)
            link.taken.append(max(100 + index, link.ready[index]))

    run([synapses(), fire_at_once(plan, 1, grants, link), late()])
    # A window starts when the previous one has its last credit, at the earliest one cycle after
    # its own start; the last credits are granted after words have left.
    assert CREDIT_FIFO_DEPTH == 15
    assert starts == [*range(16), 101, 102]
    # Word 15 has had its currents since cycle 19; it is taken one cycle after its credit.
    assert link.ready == [*range(10, 25), 108, 111, 112]
