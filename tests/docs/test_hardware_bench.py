"""The testbench of docs/hardware.md, as a user copies it, under both simulators."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hwgen import golden, load
from tests.docs.examples import ROOT, program
from tests.docs.given import GIVEN

PAGE = ROOT / "docs/hardware.md"

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="no Icarus Verilog")


@pytest.mark.parametrize("simulator", ["verilator", pytest.param("icarus", marks=needs_icarus)])
def test_the_bench_of_the_page_runs(
    simulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cocotbext.axi")
    monkeypatch.chdir(tmp_path)
    GIVEN["docs/hardware.md"](monkeypatch)
    chosen = 'simulator = "verilator"'
    assert chosen in program(PAGE)
    Path("user.py").write_text(program(PAGE).replace(chosen, f'simulator = "{simulator}"'))
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    run = subprocess.run(
        [sys.executable, "user.py"], env=env, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    images = np.load("build/test.npz")["images"]
    result = golden.run(load("build/network"), images[:1])
    words = np.load("build/words.npy").tolist()
    assert words == [*result.logits[0].tolist(), int(result.classes[0])]
    assert len(set(result.logits[0].tolist())) > 1
