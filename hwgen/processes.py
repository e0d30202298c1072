"""Starts programs that end with this process, together with all that they start.

This file is a script as well as a module. As a script, it stands between hwgen and a program: both
are in a process group of their own, which it kills as soon as a pipe from hwgen closes. The kernel
closes that pipe even when hwgen is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def running(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path | None = None,
    output: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run a program in ``folder`` while the block lasts.

    Its output and errors are one text: the block reads ``stdout`` to its end, or they go to
    ``output``. After the block, ``returncode`` is set. After an error in the block, the program is
    killed.
    """
    alive, ours = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(alive), *command], cwd=folder,
            env=environment, stdin=subprocess.DEVNULL, stdout=output or subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
            pass_fds=(alive,), start_new_session=True,
        )  # fmt: skip
        os.close(alive)
        with process:
            try:
                yield process
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
    finally:
        os.close(ours)


def _supervise(alive: int, command: Sequence[str]) -> int:
    """Run ``command``; gives its exit code, that of a shell if a signal ended it."""
    try:
        process = subprocess.Popen(command)
    except OSError as error:
        print(f"ERROR: {command[0]} cannot be started: {error.strerror}", flush=True)  # noqa: T201
        return 127
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
    code = process.wait()
    return code if code >= 0 else 128 - code


def _end_with(alive: int) -> None:
    os.read(alive, 1)  # nothing is written to it: this returns when the other end is closed
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(_supervise(int(sys.argv[1]), sys.argv[2:]))
