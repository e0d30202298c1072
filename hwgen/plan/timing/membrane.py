"""Timing of :mod:`hwgen.rtl.neuron.two_phase` and :mod:`hwgen.rtl.neuron.single_phase`."""

from __future__ import annotations

from math import ceil

from hwgen.plan.timing.process import Link, Process, Undecided
from hwgen.plan.units.layer import LayerPlan, UnitKind


class Grants:
    """When a layer's windows may be granted, and when their currents arrive.

    Attributes
    ----------
    currents : list of int
        Cycle in which each window's currents arrive.
    freed : list of int
        Cycle in which each obstacle to later windows went: in a two-phase layer, the last word of
        each pass fired; in a single-phase layer, all but the last slot of each window was reserved
        or, with a small memory, the last word of each window was taken.
    """

    def __init__(self, plan: LayerPlan) -> None:
        self.plan = plan
        self.latency = plan.current_latency
        self.currents: list[int] = []
        self.freed: list[int] = []
        windows = plan.positions * plan.rounds
        self.windows = windows * plan.timesteps_in
        """Windows of a pass."""
        self.apart = max(plan.words_per_round, ceil(plan.membrane_latency / windows))

    def next(self) -> int:
        """First cycle to take the next window's last spike indices; −1 if unknown yet."""
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
        """Record that a window's last spike indices are taken in cycle ``last``."""
        self.currents.append(last + self.latency)


def fire(plan: LayerPlan, passes: int, grants: Grants, out: Link) -> Process:
    """Phase II, or the logits of a readout, in the cycles that accumulation leaves free."""
    latency = plan.membrane_latency
    apart = ceil(latency / plan.membrane_depth)
    settle = max(0, latency - plan.membrane_depth)
    to_output = latency + (plan.kind == UnitKind.CONSTANT_CURRENT)
    groups = plan.words_by_round
    currents = grants.currents
    word = -apart
    window = 0  # first window that may have words from cycle ``word`` on
    for index in range(passes):
        end = (index + 1) * grants.windows
        while len(currents) < end:
            yield len(out.ready)
        word = max(word + apart, currents[end - 1] + groups[-1] + settle) - apart
        # Windows that may arrive meanwhile; later ones need the bank that fires now.
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
            out.ready.append(word + to_output)
        grants.freed.append(word)


def takes_turns(plan: LayerPlan) -> bool:
    """Whether a single-phase memory is so small that a word recurs before it is written."""
    return plan.membrane_depth < plan.membrane_latency


def fire_at_once(plan: LayerPlan, passes: int, grants: Grants, out: Link) -> Process:
    """A single-phase unit: fires in the step that it integrates."""
    groups = plan.words_by_round
    in_turn = takes_turns(plan)
    apart = plan.membrane_latency if in_turn else 1
    to_output = plan.membrane_latency + 1
    word = -apart
    reserved = -1
    for window in range(passes * grants.windows):
        while len(grants.currents) <= window:
            yield len(out.ready)
        currents = grants.currents[window]
        reserved = max(reserved, currents - grants.latency)
        for _ in range(groups[window % plan.rounds]):
            while (free := out.credit()) < 0:
                yield len(out.ready)
            if in_turn:
                word = max(word + apart, currents, free)
            else:
                reserved = max(reserved + 1, free)
                word = max(word + apart, currents, reserved + 1)
            out.ready.append(word + to_output)
        grants.freed.append(word if in_turn else reserved - 1)
