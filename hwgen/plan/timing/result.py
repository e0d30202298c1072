"""Timing of :mod:`hwgen.rtl.output.result`."""

from __future__ import annotations

from hwgen.plan.timing.process import Link, Process


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
