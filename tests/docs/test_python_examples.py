"""The Python examples of the documents: accepted by mypy --strict, and run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hwgen.boards import Resource
from hwgen.build import Build
from tests.docs.examples import DOCUMENTS, ROOT, STUBS, blocks, fragments, program


def mypy(folder: Path, sources: list[Path]) -> str:
    """Output of mypy --strict with the stubs of :data:`STUBS`, on ``sources``."""
    for name, text in STUBS.items():
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    command += ["--strict", *map(str, sources)]
    env = {**os.environ, "MYPYPATH": f"{folder}{os.pathsep}{ROOT}"}
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def test_mypy_accepts_every_example_and_finds_a_mistake(tmp_path: Path) -> None:
    documents = [document for document in DOCUMENTS if blocks(document)]
    assert {"README.md", "usage.md"} <= {document.name for document in documents}
    sources = []
    for document in documents:
        sources.append(tmp_path / f"example_{document.stem}.py")
        sources[-1].write_text(program(document))
    wrong = tmp_path / "example_wrong.py"
    wrong.write_text(
        "import hwgen\nfrom given import images, model\n"
        "hwgen.convert(model, images, timestep=4)\n"
        "hwgen.Build.open('build').simulate(images, samples='4')\n"
        "hwgen.generate(hwgen.load('net'), lanes='many')\n"
    )
    output = mypy(tmp_path, [*sources, wrong])
    complaints = [line for line in output.splitlines() if ": error:" in line]
    assert [line for line in complaints if "example_wrong.py" not in line] == []
    assert [line.split(":")[1] for line in complaints] == ["3", "4", "5"], output


def test_fragments_are_few() -> None:
    assert {document.name: count for document in DOCUMENTS if (count := fragments(document))} == {
        "artefact.md": 1
    }


def module(name: str, **values: Any) -> ModuleType:
    """A module with these values."""
    made = ModuleType(name)
    vars(made).update(values)
    return made


class Serial:
    """A board that answers every sample with zeros."""

    def __init__(self, port: str, baudrate: int) -> None:
        self.sent = b""

    def write(self, data: bytes) -> int:
        self.sent += data
        return len(data)

    def read(self, size: int) -> bytes:
        assert self.sent[:1] == b"P"
        return bytes(size)


def test_the_examples_of_usage_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All but place and route, which takes minutes."""
    from collections import OrderedDict

    import torch
    from torch import nn

    torch.manual_seed(0)
    layers = [("conv1", nn.Conv2d(1, 16, 3)), ("relu", nn.ReLU()), ("flatten", nn.Flatten())]
    model = nn.Sequential(OrderedDict([*layers, ("out", nn.Linear(64, 3))]))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, 1, 4, 4)).astype(np.uint8)
    given = {"model": model, "images": images, "labels": np.arange(12) % 3, "image": images[0]}
    monkeypatch.setitem(sys.modules, "given", module("given", **given))
    monkeypatch.setitem(sys.modules, "serial", module("serial", Serial=Serial))
    routed = SimpleNamespace(
        fmax_mhz=123.0, utilisation={Resource.LUT4: SimpleNamespace(used=4321)}
    )
    monkeypatch.setattr(Build, "place_and_route", lambda self, *, tries: routed)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    exec(program(ROOT / "docs/usage.md"), namespace)  # noqa: S102
    assert namespace["words"] == [0, 0, 0, 0]
    assert namespace["simulation"].bit_exact
    assert namespace["simulation"].samples == 10
    assert namespace["trains"].shape == (4, 4, 16, 2, 2)
    assert (tmp_path / "build/report.html").is_file()
    again = Build.open(tmp_path / "again")
    assert again.manifest.plan == namespace["build"].manifest.plan
    printed = capsys.readouterr().out
    assert "unknown simulator 'verilatr'; did you mean 'verilator'?" in printed
    assert "123.0 4321" in printed
