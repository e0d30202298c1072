"""When a source idles and a sink pushes back: one value a clock cycle, True to pause."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import chain, cycle, repeat

PATTERNS = ("none", "random", "adversarial")


def pauses(pattern: str, *, seed: int, at_end: Callable[[], bool]) -> Iterator[bool] | None:
    """The pauses of a pattern; None where there are none.

    random        with an even chance each cycle.
    adversarial   in turn: a long run without, a long pause, every other cycle, all but one cycle in
                  seven, one cycle in seven, and only around the ends of packets.

    Parameters
    ----------
    at_end : tells whether the word that is next is the last of its packet
    """
    if pattern == "none":
        return None
    if pattern == "random":
        return _random(seed)
    if pattern == "adversarial":
        return _adversarial(seed, at_end)
    raise ValueError(f"no pattern is called {pattern!r}; have {', '.join(PATTERNS)}")


def _random(seed: int) -> Iterator[bool]:
    chance = random.Random(seed)
    while True:
        yield chance.random() < 0.5


def _adversarial(seed: int, at_end: Callable[[], bool]) -> Iterator[bool]:
    seven = [False] + [True] * 6
    turns: list[Callable[[], Iterator[bool]]] = [
        lambda: repeat(False, 97),
        lambda: repeat(True, 61),
        lambda: chain.from_iterable(repeat((True, False), 64)),
        lambda: chain.from_iterable(repeat(seven, 16)),
        lambda: (not pause for pause in chain.from_iterable(repeat(seven, 16))),
        lambda: _starve(at_end, 600),
    ]
    # The seed decides which comes first; they are all met in a run of some thousand cycles.
    for turn in cycle(turns[seed % len(turns) :] + turns[: seed % len(turns)]):
        yield from turn()


def _starve(at_end: Callable[[], bool], cycles: int) -> Iterator[bool]:
    """Flow freely within packets and wait nineteen cycles before each last word."""
    waited = 0
    for _ in range(cycles):
        if at_end() and waited < 19:
            waited += 1
            yield True
        else:
            waited = waited if at_end() else 0
            yield False
