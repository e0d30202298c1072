"""When a source idles and a sink pushes back: one value a clock cycle, True to pause."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import cycle, islice, repeat


def pauses(pattern: str, *, seed: int, at_end: Callable[[], bool]) -> Iterator[bool] | None:
    """The pauses of a pattern; None where there are none.

    random        with an even chance each cycle.
    adversarial   in turn and for 8 to 96 cycles each, in an order and for times that the seed
                  decides: no pause, one long pause, every other cycle, all but one cycle in seven,
                  one cycle in seven, and only around the ends of packets.

    Parameters
    ----------
    at_end : tells whether the word that is next is the last of its packet
    """
    if pattern == "none":
        return None
    if pattern == "random":
        return _random(random.Random(seed))
    if pattern == "adversarial":
        return _adversarial(random.Random(seed), at_end)
    raise ValueError(f"no pattern is called {pattern!r}")


def _random(chance: random.Random) -> Iterator[bool]:
    while True:
        yield chance.random() < 0.5


def _adversarial(chance: random.Random, at_end: Callable[[], bool]) -> Iterator[bool]:
    turns: list[Callable[[], Iterator[bool]]] = [
        lambda: repeat(False),
        lambda: repeat(True),
        lambda: cycle([True, False]),
        lambda: cycle([True] * 6 + [False]),
        lambda: cycle([False] * 6 + [True]),
        lambda: _starve(at_end),
    ]
    while True:
        chance.shuffle(turns)
        for turn in turns:
            yield from islice(turn(), chance.randint(8, 96))


def _starve(at_end: Callable[[], bool]) -> Iterator[bool]:
    """Flow freely within packets and wait nineteen cycles before each last word."""
    waited = 0
    while True:
        ending = at_end()
        waited = waited + 1 if ending else 0
        yield ending and waited % 20 != 0
