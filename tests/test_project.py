"""The project around the code: what the wheel holds, and that the documents tell what there is."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import click
import pytest

from hwgen.cli import COMMANDS, cli
from hwgen.resources import FOLDERS

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))


def shell_lines(text: str) -> list[str]:
    """Lines of the shell blocks of a document, continued ones joined, comments cut."""
    # Every second part lies between fences; the language stands in its first line.
    blocks = [part.split("\n", 1) for part in text.split("```")[1::2]]
    plain = "".join(code for language, code in blocks if language == "bash")
    lines = plain.replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip()]


def test_the_wheel_holds_the_folders_beside_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["sources"] == {name: f"hwgen/_{name}" for name in FOLDERS}
    assert set(wheel["only-include"]) == {"hwgen", *FOLDERS}


def options(command: click.Command) -> set[str]:
    """Every spelling of a command's options."""
    found: set[str] = set()
    for parameter in command.params:
        found |= {*parameter.opts, *parameter.secondary_opts}
    return found


def command_of(line: str) -> click.Command:
    """The command of a line that starts with "hwgen"."""
    words = line.split()
    command = cli.get_command(click.Context(cli), words[1]) if words[1] != "--help" else cli
    assert command is not None, line
    return command


def test_an_editable_install_links_to_the_package_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    if (ROOT / "PKG-INFO").is_file():
        pytest.skip("an sdist holds no links")
    (folder,) = project["tool"]["hatch"]["build"]["dev-mode-dirs"]
    (link,) = (ROOT / folder).iterdir()
    assert (link.name, link.resolve()) == ("hwgen", ROOT / "hwgen")


def test_an_editable_install_imports_nothing_else_of_the_checkout(tmp_path: Path) -> None:
    """From outside the checkout, as any other project in the environment would see it."""
    origin = distribution("hwgen").read_text("direct_url.json")
    if origin is None or not json.loads(origin).get("dir_info", {}).get("editable"):
        pytest.skip("hwgen is not installed in editable mode")
    names = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name.isidentifier()]
    assert {"hwgen", "sim", "tests"} <= set(names)
    code = (
        "import sys, importlib.util\n"
        "found = {name: importlib.util.find_spec(name) for name in sys.argv[1:]}\n"
        "print(*(name for name, spec in found.items() if spec))"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(
        [sys.executable, "-P", "-c", code, *names],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.split() == ["hwgen"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_of_a_document_are_accepted(name: str) -> None:
    lines = [line for line in shell_lines((ROOT / name).read_text()) if line.startswith("hwgen ")]
    assert len(lines) >= 5 or name not in ("README.md", "docs/usage.md")
    for line in lines:
        words = shlex.split(line.replace("[", "").replace("]", ""))  # [may be left out]
        command_of(line).make_context(words[1], words[2:], parent=click.Context(cli))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_options_in_the_text_of_a_document_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    for line in re.findall(r"`(hwgen [^`\n]+)`", text):
        assert set(re.findall(r"--[a-z-]+", line)) <= options(command_of(line)) | {"--help"}, line
    if name == "docs/usage.md":  # elsewhere they may be those of a benchmark
        every = set().union(*(options(command_of(f"hwgen {command}")) for command in COMMANDS))
        assert set(re.findall(r"`(--[a-z-]+)", text)) <= every


def test_usage_describes_every_command_and_option_of_convert_generate_and_build() -> None:
    text = (ROOT / "docs/usage.md").read_text()
    for name in COMMANDS:
        assert f"`hwgen {name}`" in text
    for name in ("convert", "generate", "simulate", "build", "evaluate"):
        long = {option for option in options(command_of(f"hwgen {name}")) if option[:2] == "--"}
        missing = {option for option in long if not re.search(rf"{option}\b", text)}
        assert missing <= {"--output", "--counters"}, name  # as -o, and --no-counters


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", text)) - {"and"}
    assert named >= {"demo", "test"}
    missing = [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)]
    assert missing == []


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "\nmake test " in (ROOT / ".ci/run").read_text()
