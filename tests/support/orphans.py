"""A program that can be waited for although it is nobody's child."""

from __future__ import annotations

import os
from pathlib import Path

_OUTLIVE = "(sleep 30; echo outlived >&3)"
PROGRAM = f"exec 3> end; {_OUTLIVE} & echo started; {_OUTLIVE}"
"""Shell command that holds the pipe ``end`` open until it dies, and so does its child."""


class End:
    """The pipe ``end`` in ``folder``, and when :data:`PROGRAM` and its child have closed it."""

    def __init__(self, folder: Path) -> None:
        os.mkfifo(folder / "end")
        self._pipe = os.open(folder / "end", os.O_RDONLY | os.O_NONBLOCK)

    def wait(self) -> None:
        os.set_blocking(self._pipe, True)
        assert os.read(self._pipe, 1) == b""
        os.close(self._pipe)
