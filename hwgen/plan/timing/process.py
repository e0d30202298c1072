"""A timed process network: computes the cycle in which each word moves.

Every unit is a process that reads the times of other units and appends its own; it waits while a
list of times is too short. Times are cycle numbers: a word that moves in cycle n can be read from
cycle n + 1 on. The result does not depend on the order in which processes run.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass

from hwgen.plan.units.latencies import CREDIT_FIFO_DEPTH


@dataclass(frozen=True)
class Undecided:
    """Yielded by a process that acts in ``cycle`` unless another unit acts first.

    If no other process makes progress, ``send(True)`` confirms that none did.
    """

    cycle: int


Process = Generator[int | Undecided, bool | None, None]


class Link:
    """The words between two units: cycles in which each could be taken, and was taken."""

    __slots__ = ("ready", "taken")

    def __init__(self) -> None:
        self.ready: list[int] = []
        self.taken: list[int] = []

    def credit(self) -> int:
        """First cycle in which a slot for another word may be reserved; −1 if unknown yet.

        Call it when ``ready`` holds all words with a reserved slot.
        """
        before = len(self.ready) - CREDIT_FIFO_DEPTH
        if before < 0:
            return 0
        return self.taken[before] + 1 if before < len(self.taken) else -1


def run(processes: Iterable[Process]) -> None:
    """Run all processes to their end.

    A waiting process yields its progress. Raises :class:`RuntimeError` if all processes wait and
    none makes progress: the hardware would deadlock.
    """
    progress: dict[Process, int | Undecided] = dict.fromkeys(processes, -1)

    def step(process: Process, confirmed: bool | None = None) -> bool:
        try:
            reached = process.send(confirmed)
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
        # Everything else depends on the undecided process that acts first.
        undecided = {p: at.cycle for p, at in progress.items() if isinstance(at, Undecided)}
        if not undecided:
            raise RuntimeError(f"{len(progress)} units wait for each other")
        step(min(undecided, key=undecided.__getitem__), confirmed=True)
