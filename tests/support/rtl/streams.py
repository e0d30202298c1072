"""Both ends of a stream: a driver that stalls, and a monitor that stalls and checks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from amaranth import Cat, Value

STALLS = ((0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.4, 0.4))
"""Fractions of cycles in which the driver and the monitor stall."""
PAUSE = 40
"""Cycles of a long pause, which fills or empties every FIFO."""


class Staller:
    """Decides in each cycle whether to stall: single cycles, runs, and sometimes a long pause."""

    def __init__(self, rng: random.Random, stall: float) -> None:
        self._rng, self._stall, self._left = rng, stall, 0

    def __call__(self) -> bool:
        if not self._stall:
            return False
        if self._left:
            self._left -= 1
            return True
        if self._rng.random() < 0.004:
            self._left = PAUSE
        return self._rng.random() < self._stall


class Driver:
    """Sends words with noise between them; ``cycles`` holds the cycle of each transfer."""

    def __init__(self, stream: Any, words: Sequence[int], stall: float, rng: random.Random) -> None:
        self.words, self.cycles = list(words), list[int]()
        self._width = len(Value.cast(stream.payload))
        self._ready, self._rng = stream.ready, rng
        # Set together and only on a change, since every change costs a simulator step.
        self._port, self._state = Cat(stream.payload, stream.valid), 0
        self._stalled, self._offered = Staller(rng, stall), False

    @property
    def total(self) -> int:
        return len(self.words)

    @property
    def done(self) -> bool:
        return len(self.cycles) == self.total

    def restart(self) -> None:
        self.cycles.clear()
        self._offered = False

    def drive(self, ctx: Any) -> None:
        if self._offered or (self.done and not self._state >> self._width):
            return
        self._offered = not self.done and not self._stalled()
        if self._offered:
            state = self.words[len(self.cycles)] | 1 << self._width
        else:
            state = self._rng.getrandbits(self._width) if self._width else 0
        if state != self._state:
            ctx.set(self._port, state)
            self._state = state

    def clock(self, ctx: Any, cycle: int) -> None:
        if self._offered and ctx.get(self._ready):
            self.cycles.append(cycle)
            self._offered = False


class Monitor:
    """Takes words and compares each with the expected one.

    Fails if a word differs or is surplus, if ``valid`` or the payload changes before the transfer,
    or if ``valid`` depends on ``ready`` in the same cycle. Half of the time it asserts ``ready``
    only after ``valid``, so that a stream that waits for ``ready`` deadlocks.

    ``offered`` holds the first valid cycle of each word, ``cycles`` that of its transfer.
    """

    def __init__(
        self,
        name: str,
        stream: Any,
        expected: Iterable[Any],
        stall: float,
        read: Callable[[int], Any],
        rng: random.Random,
    ) -> None:
        self.name, self.expected, self._read = name, list(expected), read
        self.offered, self.cycles = list[int](), list[int]()
        self._payload = Value.cast(stream.payload)
        self._mask = (1 << len(self._payload)) - 1
        self._valid, self._ready = stream.valid, stream.ready
        self._stalled, self._rng, self._can_stall = Staller(rng, stall), rng, stall > 0
        self._waiting: int | None = None
        self._late = self._before = self._given = False

    @property
    def total(self) -> int:
        return len(self.expected)

    @property
    def done(self) -> bool:
        return len(self.cycles) == self.total

    def restart(self) -> None:
        self.offered.clear()
        self.cycles.clear()
        self._waiting = None

    def drive(self, ctx: Any) -> None:
        if not self._can_stall:
            self._give(ctx, True)
            return
        self._give(ctx, False)
        self._before = bool(ctx.get(self._valid))
        self._give(ctx, not self._stalled() and (self._before or not self._late))

    def _give(self, ctx: Any, ready: bool) -> None:
        if ready != self._given:
            ctx.set(self._ready, ready)
            self._given = ready

    def clock(self, ctx: Any, cycle: int) -> None:
        valid, index = bool(ctx.get(self._valid)), len(self.cycles)
        where = f"{self.name}: word {index} of {len(self.expected)}, cycle {cycle}"
        if self._can_stall and valid != self._before:
            raise AssertionError(f"{where}: valid depends on ready")
        if not valid:
            if self._waiting is not None:
                raise AssertionError(f"{where}: valid was withdrawn before the transfer")
            return
        payload = ctx.get(self._payload) & self._mask
        if self._waiting is None:
            self.offered.append(cycle)
        elif payload != self._waiting:
            raise AssertionError(f"{where}: the payload changed before the transfer")
        self._waiting = payload
        if ctx.get(self._ready):
            word = self._read(payload)
            if index >= len(self.expected):
                raise AssertionError(f"{where}: one word too many, {word}")
            if word != self.expected[index]:
                raise AssertionError(f"{where}: {word}, expected {self.expected[index]}")
            self.cycles.append(cycle)
            self._waiting, self._late = None, self._rng.random() < 0.5


class Observer(Monitor):
    """Observes a stream that has another consumer, which drives ``ready``."""

    def drive(self, ctx: Any) -> None:
        pass
