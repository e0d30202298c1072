"""Timing of :mod:`hwgen.rtl.neuron.two_phase` and :mod:`hwgen.rtl.neuron.single_phase`."""

from __future__ import annotations

from math import ceil

from hwgen.plan.timing.process import Link, Process, Undecided
from hwgen.plan.units.layer import LayerPlan, UnitKind

LATENCY = 4
"""Cycles from a step of a two-phase membrane to its next one; one more where currents add up, or
where they are held."""
LEAKY_LATENCY = 7
"""The same where membranes grow by less than 2 (:mod:`hwgen.rtl.neuron.inverse_leak`), whatever
comes in."""
SINGLE_LATENCY = 5
"""The same for a single-phase one."""


class Grants:
    """When a layer's windows may be granted, and when their currents are there.

    Parameters
    ----------
    plan : LayerPlan

    Attributes
    ----------
    latency : int
        From a window's last events to its currents.
    currents : list of int
        When each window's currents are there.
    freed : list of int
        When what holds up later windows went: the last word of each pass fired or, in a
        single-phase layer, all but the last place of each window promised; of a small memory the
        last word of each window taken.
    """

    def __init__(self, plan: LayerPlan) -> None:
        self.plan = plan
        self.latency = 4 + (plan.scanners - 1).bit_length()
        self.currents: list[int] = []
        self.freed: list[int] = []
        windows = plan.positions * plan.rounds
        self.windows = windows * plan.timesteps_in
        """Windows of a pass."""
        self.apart = max(plan.words_per_round, ceil(latency(plan) / windows))

    def next(self) -> int:
        """First cycle in which the next window's last events can be taken; -1: not known yet."""
        index = len(self.currents)
        if self.plan.is_single_phase:
            if len(self.freed) < index:
                return -1
            return self.freed[-1] + 1 if index else 0
        # No window is granted in the cycle after a pass.
        apart = self.apart if index % self.windows else max(self.apart, 2)
        first = self.currents[-1] - self.latency + apart if index else 0
        before = index // self.windows - self.plan.banks
        if before < 0:
            return first
        if before >= len(self.freed):
            return -1
        return max(first, self.freed[before] + 1)

    def grant(self, last: int) -> None:
        """A window's last events are taken in cycle ``last``."""
        self.currents.append(last + self.latency)


def latency(plan: LayerPlan) -> int:
    if plan.fractional:
        return LEAKY_LATENCY
    return LATENCY + (plan.ramp_in or plan.kind == UnitKind.CONSTANT_CURRENT)


def fire(plan: LayerPlan, passes: int, grants: Grants, out: Link) -> Process:
    """Phase II, or the read-out of the logits, in the cycles that accumulation leaves."""
    apart = ceil(latency(plan) / plan.membrane_depth)
    settle = max(0, latency(plan) - plan.membrane_depth)
    groups = plan.words_by_round
    currents = grants.currents
    word = -apart
    window = 0  # the first one that may have words from cycle ``word`` on
    for index in range(passes):
        end = (index + 1) * grants.windows
        while len(currents) < end:
            yield len(out.ready)
        word = max(word + apart, currents[end - 1] + groups[-1] + settle) - apart
        # What may come meanwhile; later windows need the bank that fires now.
        known = min(passes, index + plan.banks) * grants.windows
        for _ in range(plan.timesteps_out * plan.membrane_depth):
            while (free := out.credit()) < 0:
                yield len(out.ready)
            word = max(word + apart, free)
            while True:
                while window < len(currents):
                    after = currents[window] + groups[window % plan.rounds]
                    if currents[window] > word:
                        break
                    word = max(word, after)
                    window += 1
                if window < len(currents) or window >= known or (yield Undecided(word)):
                    break
            out.ready.append(word + latency(plan) + (plan.kind == UnitKind.CONSTANT_CURRENT))
        grants.freed.append(word)


def takes_turns(plan: LayerPlan) -> bool:
    """Whether a single-phase memory is so small that a word comes round before it is written."""
    return plan.membrane_depth < SINGLE_LATENCY


def fire_at_once(plan: LayerPlan, passes: int, grants: Grants, out: Link) -> Process:
    """The single-phase unit: fires in the step it integrates."""
    groups = plan.words_by_round
    in_turn = takes_turns(plan)
    apart = SINGLE_LATENCY if in_turn else 1
    word = -apart
    promise = -1
    for window in range(passes * grants.windows):
        while len(grants.currents) <= window:
            yield len(out.ready)
        currents = grants.currents[window]
        promise = max(promise, currents - grants.latency)
        for _ in range(groups[window % plan.rounds]):
            while (free := out.credit()) < 0:
                yield len(out.ready)
            if in_turn:
                word = max(word + apart, currents, free)
            else:
                promise = max(promise + 1, free)
                word = max(word + apart, currents, promise + 1)
            out.ready.append(word + 6)
        grants.freed.append(word if in_turn else promise - 1)
