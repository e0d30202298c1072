"""Jobs of a simulation end with hwgen, and so does all that they started."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen.errors import ToolError
from hwgen.simulation import process
from hwgen.simulation.jobs import CompileJob
from tests.support.orphans import PROGRAM, End

JOB = CompileJob(simulator="", top="", sources=[], arguments=[], folder="", waves=False)


@pytest.fixture
def end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> End:
    """That of a shell command in place of launch.py."""
    monkeypatch.chdir(tmp_path)
    instead_of_launch(tmp_path, PROGRAM)
    return End(tmp_path)


def instead_of_launch(folder: Path, command: str) -> Path:
    path = folder / "launch.py"
    path.write_text(f"import os\nos.execvp('sh', ['sh', '-c', {command!r}])\n", "utf-8")
    return path


def test_a_killed_simulation_takes_its_simulator_along(tmp_path: Path, end: End) -> None:
    code = (
        "from pathlib import Path\n"
        "from hwgen.simulation import process\n"
        "from hwgen.simulation.jobs import CompileJob\n"
        "process.LAUNCH, log = Path('launch.py'), Path('log')\n"
        f"process.launch({JOB!r}, job_file=Path('job'), log=log, task='simulating',\n"
        "               watch=lambda: print(log.read_text(), flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert "started\n" in iter(child.stdout.readline, "")
        child.send_signal(signal.SIGKILL)
    end.wait()


def test_a_simulator_without_progress_is_killed(
    tmp_path: Path, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LAUNCH", tmp_path / "launch.py")
    log, numbers = tmp_path / "log", itertools.count()
    with pytest.raises(ToolError, match="simulating: no progress for 0 s; see .*/log"):
        process.launch(
            JOB, job_file=tmp_path / "job", log=log, task="simulating", patience_s=0.0,
            watch=lambda: -1 if "started" in log.read_text("utf-8") else next(numbers),
        )  # fmt: skip
    end.wait()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("echo fine; echo Error: wrong >&2; echo last; exit 1", "Error: wrong"),
        ("echo last; kill -9 $$", "last"),
        ("exit 1", "it printed nothing"),
    ],
)
def test_the_first_error_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, message: str
) -> None:
    monkeypatch.setattr(process, "LAUNCH", instead_of_launch(tmp_path, command))
    with pytest.raises(ToolError, match=rf"^simulating failed: {message}; see .*/log$"):
        process.launch(JOB, job_file=tmp_path / "job", log=tmp_path / "log", task="simulating")
