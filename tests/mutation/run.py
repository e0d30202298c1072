"""Applies mutations in scratch copies, several at a time, and judges what their tests said."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.mutation.entries import Mutation, StaleError
from tests.mutation.scratch import Outcome, Scratch

LIMIT, GRACE_S = 20, 60.0
"""A run is ended after 20 times the usual time and a minute, unless the mutation may hang."""


class Verdict(StrEnum):
    """What became of a mutation; only the first two say something about the tests."""

    KILLED = "killed"
    SURVIVED = "survived"
    STALE = "stale"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict on a mutation, and what led to it."""

    mutation: Mutation
    verdict: Verdict
    detail: str
    usual_s: float = 0.0
    seconds: float = 0.0


def judge(mutation: Mutation, usual: Outcome, outcome: Outcome) -> Judgement:
    """Verdict that follows from the tests without and with the mutation."""
    hangs = not outcome.ended and mutation.hang > 0
    if not outcome.ended and not hangs:
        verdict, detail = Verdict.BROKEN, f"no end after {outcome.seconds:.0f} s; if so meant: hang"
    elif hangs:
        times = f"{mutation.hang} times the usual {usual.seconds:.1f} s"
        verdict, detail = Verdict.KILLED, f"hang: no end after {times}"
    elif outcome.code == 1 and outcome.failed:
        verdict, detail = Verdict.KILLED, outcome.failed[0]
    elif outcome.code == 0 and outcome.passed:
        verdict, detail = Verdict.SURVIVED, mutation.equivalent or "no named test noticed"
    else:
        detail = outcome.errors[0] if outcome.errors else f"pytest ended with {outcome.code}"
        verdict = Verdict.BROKEN
    if verdict is Verdict.KILLED and mutation.equivalent:
        verdict, detail = Verdict.BROKEN, f"said to be equivalent, but: {detail}"
    return Judgement(
        mutation=mutation,
        verdict=verdict,
        detail=detail,
        usual_s=usual.seconds,
        seconds=outcome.seconds,
    )


class Trial:
    """A run over a list of mutations of the checkout at ``source``."""

    def __init__(self, source: Path, *, jobs: int, package: str = "hwgen") -> None:
        self._source, self._package, self._jobs = source, package, jobs
        self._usual: dict[tuple[str, ...], Future[Outcome]] = {}
        self._lock = threading.Lock()
        self._copies: queue.SimpleQueue[Scratch] = queue.SimpleQueue()

    def run(
        self, mutations: Sequence[Mutation], report: Callable[[Judgement], object]
    ) -> list[Judgement]:
        """Judgements in the order of the list; ``report`` gets each as soon as it is known."""
        with tempfile.TemporaryDirectory(prefix="hwgen-mutation-") as temporary:
            for index in range(min(self._jobs, len(mutations))):
                folder = Path(temporary) / str(index)
                self._copies.put(Scratch(self._source, folder, package=self._package))
            with ThreadPoolExecutor(self._jobs) as pool:
                found = [pool.submit(self._judge, mutation, report) for mutation in mutations]
                return _results(found)

    def _judge(self, mutation: Mutation, report: Callable[[Judgement], object]) -> Judgement:
        copy = self._copies.get()
        try:
            judgement = self._judge_in(copy, mutation)
        finally:
            self._copies.put(copy)
        with self._lock:
            report(judgement)
        return judgement

    def _judge_in(self, copy: Scratch, mutation: Mutation) -> Judgement:
        def unfit(verdict: Verdict, detail: str) -> Judgement:
            return Judgement(mutation=mutation, verdict=verdict, detail=detail)

        try:
            text = mutation.apply((copy.root / mutation.file).read_text(encoding="utf-8"))
        except (StaleError, OSError) as error:
            return unfit(Verdict.STALE, str(error))
        usual = self._usual_outcome(copy, mutation.selection)
        if usual.code != 0 or not usual.passed:
            first = [*usual.failed, *usual.errors, f"{usual.passed} passed"][0]
            return unfit(Verdict.BROKEN, f"the tests do not pass without the mutation: {first}")
        limit_s = mutation.hang * usual.seconds or LIMIT * usual.seconds + GRACE_S
        with copy.mutated(mutation.file, text):
            outcome = copy.test(mutation.selection, file=mutation.file, limit_s=limit_s)
        return judge(mutation, usual, outcome)

    def _usual_outcome(self, copy: Scratch, selection: tuple[str, ...]) -> Outcome:
        """Outcome without a mutation, found once for each selection of tests."""
        with self._lock:
            known = self._usual.get(selection)
            mine: Future[Outcome] = Future()
            self._usual.setdefault(selection, mine)
        if known is not None:
            return known.result()
        try:
            mine.set_result(copy.test(selection))
        except BaseException as error:
            mine.set_exception(error)
            raise
        return mine.result()


def _results(found: Iterable[Future[Judgement]]) -> list[Judgement]:
    """All results; at the first error the rest is not begun."""
    waiting = list(found)
    try:
        return [future.result() for future in waiting]
    except BaseException:
        for future in waiting:
            future.cancel()
        raise
