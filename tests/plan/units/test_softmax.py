"""Cycles of a softmax unit, against the cycle model with membranes that are always there."""

from __future__ import annotations

import pytest

from hwgen.plan.timing.output import draw_spikes
from hwgen.plan.timing.process import Link, Process, run
from hwgen.plan.units.softmax import SoftmaxPlan

SAMPLES = 4


def take_at_once(out: Link, words: int) -> Process:
    while len(out.taken) < words:
        out.taken += out.ready[len(out.taken) :]
        yield len(out.taken)


@pytest.mark.parametrize(
    ("classes", "timesteps", "random_bits", "step"),
    [(5, 3, 16, 4 * (5 + 4) + 2), (10, 4, 7, 4 * (10 + 2) + 2), (3, 2, 1, 4 * (3 + 1) + 2)],
)
def test_a_sample_takes_its_timesteps_and_a_cycle_for_each_count(
    classes: int, timesteps: int, random_bits: int, step: int
) -> None:
    plan = SoftmaxPlan(
        classes=classes, timesteps=timesteps, random_bits=random_bits, shift=0, entries=4,
        below_width=4, entry_width=8, sum_width=12, seed=1, count_width=4,
    )  # fmt: skip
    membranes, counts = Link(), Link()
    membranes.ready = [0] * (SAMPLES * timesteps * classes)
    taker = take_at_once(counts, SAMPLES * classes)
    run([draw_spikes(plan, 1, SAMPLES, membranes, counts), taker])
    first = counts.ready[::classes]
    apart = {later - earlier for earlier, later in zip(first, first[1:], strict=False)}
    assert apart == {plan.sample_cycles} == {timesteps * step + classes}
