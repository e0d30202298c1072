"""Pauses of a source or a sink: one value per clock cycle, True to pause."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import cycle, islice, repeat

from hwgen.simulation.options import StallPattern


def pauses(pattern: str, *, seed: int, at_end: Callable[[], bool]) -> Iterator[bool] | None:
    """Pauses of a stall pattern; None for :attr:`StallPattern.NONE`.

    random        a pause with a probability of one half in each cycle.
    adversarial   in turn, for 8 to 96 cycles each, in an order and for times that the seed
                  determines: no pause, one long pause, every other cycle, all but one cycle in
                  seven, one cycle in seven, and only around the ends of packets.

    ``at_end`` returns whether the next word is the last of its packet.
    """
    match StallPattern(pattern):
        case StallPattern.NONE:
            return None
        case StallPattern.RANDOM:
            return _random(random.Random(seed))
        case StallPattern.ADVERSARIAL:
            return _adversarial(random.Random(seed), at_end)


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
    """Pause for nineteen cycles before the last word of each packet, and never within it."""
    waited = 0
    while True:
        ending = at_end()
        waited = waited + 1 if ending else 0
        yield ending and waited % 20 != 0
