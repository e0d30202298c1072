"""Programs end with the process that started them, and so does all that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen import processes
from hwgen.processes import running
from tests.support.orphans import PROGRAM, End


@pytest.fixture
def end(tmp_path: Path) -> End:
    return End(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_process_takes_its_programs_along(
    tmp_path: Path, end: End, number: signal.Signals
) -> None:
    code = (
        f"import os, runpy, pathlib, signal\n"
        f"signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may ignore it
        f"running = runpy.run_path({processes.__file__!r})['running']\n"
        f"with running(['sh', '-c', {PROGRAM!r}], folder=pathlib.Path('.'),\n"
        f"             environment=os.environ) as process:\n"
        f"    for line in process.stdout: print(line, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
    end.wait()


def test_an_error_kills_the_program(tmp_path: Path, end: End) -> None:
    def fail() -> None:
        with running(["sh", "-c", PROGRAM], folder=tmp_path, environment=os.environ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    end.wait()


@pytest.mark.parametrize(
    ("command", "text", "code"),
    [
        (["sh", "-c", "echo $0 $A; pwd; exit 5"], "sh 1\n{folder}\n", 5),
        (["sh", "-c", "kill -9 $$"], "", 137),
        (["./no-such"], "ERROR: ./no-such cannot be started: No such file or directory\n", 127),
        (["sh", "-c", r"printf '\377'"], "\ufffd", 0),
    ],
)
def test_output_and_exit_code(tmp_path: Path, command: list[str], text: str, code: int) -> None:
    with running(command, folder=tmp_path, environment=os.environ | {"A": "1"}) as process:
        assert process.stdout is not None
        assert process.stdout.read() == text.format(folder=tmp_path)
    assert process.returncode == code


def test_output_may_go_to_a_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ["sh", "-c", "echo one; echo two >&2; exit 3"]
    with (
        log.open("wb") as output,
        running(command, folder=tmp_path, environment=os.environ, output=output) as process,
    ):
        assert process.wait() == 3
    assert log.read_bytes() == b"one\ntwo\n"
