"""Starts :mod:`.launch`, which ends with this process, and waits for it."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hwgen.errors import ToolError
from hwgen.processes import running
from hwgen.simulation.jobs import CompileJob, RunJob
from hwgen.simulation.tools import environment

LAUNCH = Path(__file__).with_name("launch.py")
"""Run by its path, so that the child process imports hardly anything of hwgen."""
_POLL_S = 0.05
_ERROR = re.compile(r"error|cannot|failed|terminat|Traceback", re.IGNORECASE)


def launch(
    job: CompileJob | RunJob,
    *,
    job_file: Path,
    log: Path,
    task: str,
    watch: Callable[[], object] | None = None,
    patience_s: float | None = None,
) -> None:
    """Run a job of :mod:`.launch`, called ``task`` in messages; its output goes to ``log``.

    ``watch`` is called repeatedly; its result changes as long as the job makes progress. After
    ``patience_s`` seconds without progress the job is killed.

    Raises :class:`.ToolError` with the first error of the log if the job failed or was killed.
    """
    job.write(job_file)
    action = "compile" if isinstance(job, CompileJob) else "run"
    command = [sys.executable, "-P", str(LAUNCH), action, str(job_file)]
    with (
        log.open("wb") as output,
        running(command, environment=environment(), output=output) as process,
    ):
        if not _ends(process, watch, patience_s):
            raise ToolError(f"{task}: no progress for {patience_s:.0f} s; see {log}")
    if process.returncode != 0:
        raise ToolError(f"{task} failed: {first_error(log)}; see {log}")


def _ends(
    process: subprocess.Popen[str], watch: Callable[[], object] | None, patience_s: float | None
) -> bool:
    """Wait for the end; False if there is no progress."""
    state, since = None, time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_S)
            return True
        now = watch() if watch is not None else None
        if now != state:
            state, since = now, time.monotonic()
        elif patience_s is not None and time.monotonic() - since > patience_s:
            return False


def first_error(log: Path) -> str:
    """First error of a log, or its last line."""
    text = log.read_text("utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.search(line) and "Warning" not in line]
    return [*errors[:1], *lines[-1:], "it printed nothing"][0]
