"""Timing of :mod:`hwgen.rtl.output.softmax` and :mod:`hwgen.rtl.output.result`."""

from __future__ import annotations

from hwgen.plan.timing.process import Link, Process
from hwgen.plan.units.latencies import SOFTMAX_TERM
from hwgen.plan.units.softmax import STAGE_BITS, SoftmaxPlan


def draw_spikes(plan: SoftmaxPlan, lanes: int, samples: int, source: Link, out: Link) -> Process:
    """The softmax unit: reads the membranes of each timestep, sends a sample's counts.

    Words hold ``lanes`` membranes, or one count.
    """
    take, collect = -1, 0  # cycle of the last membrane; first cycle in which one may be taken again
    freed = [-2, -2]  # cycles in which the terms of the two previous timesteps were released
    word = 0
    for _ in range(samples):
        for step in range(plan.timesteps):
            for index in range(plan.classes):
                while len(source.ready) <= word:
                    yield len(source.taken)
                take = max(take + 1, source.ready[word], collect)
                if index % lanes == lanes - 1 or index == plan.classes - 1:
                    source.taken.append(take)
                    word += 1
            scan = max(take, freed[-2]) + 2
            collect = scan + plan.classes
            start = max(collect + SOFTMAX_TERM, freed[-1] + 1)
            end = start + STAGE_BITS * (plan.classes + plan.stages) + 1
            if step == plan.timesteps - 1:
                for _ in range(plan.classes):
                    out.ready.append(end + 1)
                    while len(out.taken) < len(out.ready):
                        yield len(source.taken) + len(out.ready)
                    end = out.taken[-1]
            freed = [freed[-1], end]


def send_results(classes: int, lanes: int, samples: int, source: Link, done: list[int]) -> Process:
    """The result unit; appends the cycle of each sample's class to ``done``."""
    take = sent = -1
    word = 0
    for _ in range(samples):
        for index in range(classes):
            while len(source.ready) <= word:
                yield len(done)
            take = max(take + 1, source.ready[word], sent)
            sent = max(take + 1, sent + 1)
            if index % lanes == lanes - 1 or index == classes - 1:
                source.taken.append(take)
                word += 1
        done.append(sent + 2)
        # The class follows the last logit; the next logit waits meanwhile.
        sent += 1
