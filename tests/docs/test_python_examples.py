"""The Python examples of the documents are accepted by mypy --strict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.examples import DOCUMENTS, ROOT, STUBS, program


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
    documents = [document for document in DOCUMENTS if program(document)]
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
