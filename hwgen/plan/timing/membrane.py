"""Timing of :mod:`hwgen.rtl.twophase` and :mod:`hwgen.rtl.singlephase`."""

from __future__ import annotations

from hwgen.plan.hardware import LayerPlan
from hwgen.plan.timing.process import Link, Process


def accumulate(
    plan: LayerPlan,
    samples: int,
    currents: list[int],
    taken: list[int],
    closed: list[int],
    fired: list[int],
    last_issue: list[int],
) -> Process:
    """Phase I: takes currents part by part; appends when each sample is complete to ``closed``."""
    apart = 4 if plan.membrane_depth < 4 else 1
    groups = group_parts(plan)
    word = -1
    window = 0
    for sample in range(samples):
        bank = sample % plan.banks
        if sample >= plan.banks:
            while len(fired) <= sample - plan.banks:
                yield window
            word = max(word, fired[sample - plan.banks])
        for _ in range(plan.timesteps_in * plan.positions):
            for parts in groups:
                while len(currents) <= window:
                    yield window
                for part in range(parts):
                    word = max(word + 1, last_issue[bank] + apart)
                    if part == 0:
                        word = max(word, currents[window])
                    last_issue[bank] = word
                taken.append(word)
                window += 1
        closed.append(word)


def fire(
    plan: LayerPlan,
    samples: int,
    closed: list[int],
    fired: list[int],
    last_issue: list[int],
    out: Link,
) -> Process:
    """Phase II, or the read-out of the logits."""
    apart = 4 if plan.membrane_depth < 4 else 1
    word = -1
    for sample in range(samples):
        bank = sample % plan.banks
        while len(closed) <= sample:
            yield len(out.ready)
        word = max(word, closed[sample])
        for _ in range(plan.timesteps_out * plan.membrane_depth):
            while (free := out.promised()) < 0:
                yield len(out.ready)
            word = max(word + 1, last_issue[bank] + apart, free)
            last_issue[bank] = word
            out.ready.append(word + 4)
        fired.append(word)


def fire_at_once(
    plan: LayerPlan, samples: int, currents: list[int], taken: list[int], out: Link
) -> Process:
    """The single-phase unit: fires in the step it integrates."""
    apart = 5 if plan.membrane_depth < 5 else 1
    groups = group_parts(plan)
    word = -apart
    for window in range(samples * plan.timesteps_in * plan.positions * plan.fold):
        while len(currents) <= window:
            yield len(out.ready)
        for _ in range(groups[window % plan.fold]):
            while (free := out.promised()) < 0:
                yield len(out.ready)
            word = max(word + apart, currents[window], free)
            out.ready.append(word + 5)
        taken.append(word)


def group_parts(plan: LayerPlan) -> list[int]:
    """Membrane words of each group of lanes; the last may have fewer."""
    return [min(plan.parts, plan.words - group * plan.parts) for group in range(plan.fold)]
