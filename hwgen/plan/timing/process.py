"""A timed process network: when each word moves, given what it has to wait for.

Every unit is a process that looks at the times of others and appends its own; a list of times
that is too short yet makes it wait. Times are cycle numbers: a word that moves in cycle n is there
to be read from cycle n + 1 on. The result does not depend on the order in which processes run.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

Process = Generator[int, None, None]
FIFO_DEPTH = 8
"""Places of the FIFO that ends a unit's pipeline (:class:`hwgen.rtl.fifo.PromiseFifo`)."""


class Link:
    """The words between two units: when each could be taken, and when it was."""

    __slots__ = ("ready", "taken")

    def __init__(self) -> None:
        self.ready: list[int] = []
        self.taken: list[int] = []

    def promised(self) -> int:
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
    progress: dict[Process, int] = dict.fromkeys(processes, -1)
    while progress:
        moved = False
        for process in list(progress):
            try:
                reached = next(process)
            except StopIteration:
                del progress[process]
                moved = True
                continue
            moved |= reached != progress[process]
            progress[process] = reached
        if not moved:
            raise RuntimeError(f"{len(progress)} units wait for each other")
