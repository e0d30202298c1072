"""User packages called `sim` and `tests` are never imported instead of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.cores.mock_core import write_mock_core

ROOT = Path(__file__).parents[2]


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder with packages `sim` and `tests` that fail on import."""
    for name in ("sim", "tests"):
        package = tmp_path / "mine" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"raise ImportError('the foreign {name}')\n")
    return tmp_path / "mine"


def run(foreign: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder; it is also the first entry of PYTHONPATH."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(foreign), str(ROOT)])}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=foreign, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["sim", "tests"])
def test_the_foreign_package_is_found_first(foreign: Path, name: str) -> None:
    assert f"the foreign {name}" in run(foreign, "-c", f"import {name}").stderr


@pytest.mark.parametrize("buses", [False, True])
def test_a_simulation_uses_its_own_testbench(foreign: Path, tmp_path: Path, buses: bool) -> None:
    images = write_mock_core(tmp_path / "build", 2)
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, numpy\n"
        "from hwgen.simulation.runner import simulate\n"
        f"report = simulate(sys.argv[1], numpy.load(sys.argv[2]), buses={buses})\n"
        "print(report.bit_exact, report.samples)\n"
    )
    result = run(foreign, "-c", code, str(tmp_path / "build"), str(tmp_path / "images.npy"))
    assert result.stdout == "True 2\n", result.stderr


def test_our_tests_use_their_own_helpers(foreign: Path) -> None:
    test = ROOT / "tests/artefact/test_build_folder.py::test_missing_and_edited_files_are_named"
    result = run(foreign, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test))
    assert "1 passed" in result.stdout, result.stdout + result.stderr
