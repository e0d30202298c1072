"""A timed process network: when each word moves, given what it has to wait for.

Every unit is a process that looks at the times of others and appends its own; a list of times
that is too short yet makes it wait. Times are cycle numbers: a word that moves in cycle n is there
to be read from cycle n + 1 on. The result does not depend on the order in which processes run.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Undecided:
    """What a process yields that may act in ``cycle`` unless another unit acts before.

    It waits to be told; where nothing else gets on, ``send(True)`` tells it that none did.
    """

    cycle: int


Process = Generator[int | Undecided, bool | None, None]
FIFO_DEPTH = 15
"""Places of the FIFO that ends a unit's pipeline
(:class:`hwgen.rtl.streams.credit_fifo.CreditFifo`)."""


class Link:
    """The words between two units: when each could be taken, and when it was."""

    __slots__ = ("ready", "taken")

    def __init__(self) -> None:
        self.ready: list[int] = []
        self.taken: list[int] = []

    def credit(self) -> int:
        """First cycle in which another word may be promised; -1 if that is not known yet.

        To be called when ``ready`` holds the words promised so far.
        """
        before = len(self.ready) - FIFO_DEPTH
        if before < 0:
            return 0
        return self.taken[before] + 1 if before < len(self.taken) else -1


def run(processes: Iterable[Process]) -> None:
    """Run all processes to their end.

    A process yields, when it waits, how far it came. Raises :class:`RuntimeError` if all wait and
    none gets on: the hardware would stand still.
    """
    progress: dict[Process, int | Undecided] = dict.fromkeys(processes, -1)

    def step(process: Process, told: bool | None = None) -> bool:
        try:
            reached = process.send(told)
        except StopIteration:
            del progress[process]
            return True
        moved = reached != progress[process]
        progress[process] = reached
        return moved

    while progress:
        moved = False
        for process in list(progress):
            moved |= step(process)
        if moved:
            continue
        # All that is still to come follows from what one of the undecided ones does, later.
        undecided = {p: at.cycle for p, at in progress.items() if isinstance(at, Undecided)}
        if not undecided:
            raise RuntimeError(f"{len(progress)} units wait for each other")
        step(min(undecided, key=undecided.__getitem__), told=True)
