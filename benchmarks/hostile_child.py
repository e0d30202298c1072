"""Runs a command in a child process that stops or dies at its n-th operation on the disk."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from hwgen import cli

_CHANGES = {
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "shutil.rmtree", "shutil.copyfile", "fcntl.flock", "subprocess.Popen",
}  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass
class Child:
    """A command in a process of its own, with its output in files beside the place."""

    number: int
    place: Path

    def wait(self) -> int:
        """Exit code; minus the signal that ended it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1])

    def wait_until_it_stops(self) -> bool:
        """Whether it has stopped; False if it ended instead."""
        _, status = os.waitpid(self.number, os.WUNTRACED)
        return os.WIFSTOPPED(status)

    @property
    def output(self) -> str:
        return _log(self.place, self.number).read_text("utf-8", errors="replace")

    @property
    def operations(self) -> int:
        """Operations on the disk, of a child that was not stopped."""
        return int(_log(self.place, self.number).with_suffix(".count").read_text("utf-8"))


def start(
    words: tuple[str, ...], place: Path, environment: dict[str, str], *, at: int = 0,
    number: signal.Signals = signal.SIGKILL,
) -> Child:  # fmt: skip
    """Run a command in ``place``; before its operation ``at``, counted from 1, it gets a signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _run(words, place, environment, at, number)
    return Child(child, place)


def _run(
    words: tuple[str, ...], place: Path, environment: dict[str, str], at: int,
    number: signal.Signals,
) -> NoReturn:  # fmt: skip
    code, count = 70, 0
    log = _log(place, os.getpid())
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.chdir(place)
        os.environ.update(environment)

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal count
            if event == "open":
                path, _, flags = arguments
                changes = bool(flags & _WRITING) and _is_below(path, place)
            else:
                changes = event in _CHANGES
            if changes:
                count += 1
                if count == at:
                    os.kill(os.getpid(), number)

        sys.addaudithook(watch)
        code = cli.run(list(words))
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001  # the traceback is what the harness looks for
        sys.excepthook(*sys.exc_info())
    finally:
        done = count
        log.with_suffix(".count").write_text(str(done), "utf-8")
        os._exit(code)


def _is_below(path: object, place: Path) -> bool:
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    text = os.fsdecode(path)
    return not os.path.isabs(text) or Path(text).is_relative_to(place)


def _log(place: Path, number: int) -> Path:
    return place.with_name(f"{place.name}-{number}.log")
