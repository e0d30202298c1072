"""Timing of :mod:`hwgen.rtl.output.softmax`."""

from __future__ import annotations

from hwgen.plan.timing.process import Link, Process
from hwgen.plan.units.softmax import STAGE_BITS, SoftmaxPlan

TERM_LATENCY = 5
"""From the read of a membrane to the write of its term
(:data:`hwgen.rtl.output.softmax_terms.DEPTH`)."""


def draw_spikes(plan: SoftmaxPlan, lanes: int, samples: int, source: Link, out: Link) -> Process:
    """Membranes of every timestep, ``lanes`` a word, become a sample's counts, one a word."""
    take, collect = -1, 0  # of the last membrane; first cycle in which one may be taken again
    freed = [-2, -2]  # when the terms of the timesteps before went
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
            start = max(collect + TERM_LATENCY, freed[-1] + 1)
            end = start + STAGE_BITS * (plan.classes + plan.stages) + 1
            if step == plan.timesteps - 1:
                for _ in range(plan.classes):
                    out.ready.append(end + 1)
                    while len(out.taken) < len(out.ready):
                        yield len(source.taken) + len(out.ready)
                    end = out.taken[-1]
            freed = [freed[-1], end]
