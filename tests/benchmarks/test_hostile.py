"""Commands on full and read-only disks, on plain terminals, killed, and two at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def can_mount() -> bool:
    """Whether this user may mount in a namespace of its own."""
    if shutil.which("unshare") is None:
        return False
    rights = [] if os.getuid() == 0 else ["-Ur"]
    return not subprocess.run(
        ["unshare", *rights, "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True
    ).returncode


def matrix(tmp_path: Path, *options: str) -> dict[tuple[str, str], dict[str, int]]:
    """Exit codes of each command under each condition; there must be no fault."""
    file = tmp_path / "rows.json"
    command = [sys.executable, "-m", "benchmarks.hostile", "--json", str(file), *options]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    rows = json.loads(file.read_text("utf-8"))
    assert [row for row in rows if row["faults"]] == []
    assert result.returncode == 0
    return {(row["command"], row["condition"]): row["codes"] for row in rows}


def test_a_few_cases(tmp_path: Path) -> None:
    codes = matrix(tmp_path, "--quick")
    for name in ("evaluate", "generate", "build", "report"):
        assert codes[name, "killed"] == {"-9": 2}
    assert codes["generate", "two at once"] == codes["build", "two at once"] == {"0": 1, "3": 1}
    assert codes["evaluate", "two at once"] == {"0": 2}
    assert codes["report", "ascii"] == {"0": 1}
    assert [codes["build", name] for name in ("SIGTERM", "SIGINT", "SIGKILL")] == [
        {"143": 1}, {"130": 1}, {"-9": 1}
    ]  # fmt: skip
    if can_mount():
        assert codes["build", "full disk"] == codes["build", "read-only disk"] == {"3": 1}
        assert codes["build", "read-only HOME"] == {"0": 1}


@pytest.mark.slow
def test_the_whole_matrix(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("cocotb_tools")
    codes = matrix(tmp_path)
    commands = ("convert", "evaluate", "generate", "simulate", "build", "report")
    for name in commands:
        assert set(codes[name, "killed"]) == {"-9"}
        for condition in ("ascii", "latin-1", "LANG=C"):
            assert codes[name, condition] == {"0": 1}
    if can_mount():
        for condition in ("full disk", "read-only disk"):
            found = {name: codes[name, condition] for name in commands}
            kept = {"evaluate": {"0": 1}}  # it prints the figures, and keeps none
            assert found == dict.fromkeys(commands, {"3": 1}) | kept
        for condition in ("read-only HOME", "no HOME"):
            assert [codes[name, condition] for name in commands] == [{"0": 1}] * 6
