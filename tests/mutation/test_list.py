"""The list of mutations is up to date: every line applies, and names tests that exist."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.mutation.__main__ import ROOT, main
from tests.mutation.entries import LISTS, Mutation, StaleError, load

MUTATIONS = load()
MINIMUM = 80
PARTS = {path.parent.name for path in (ROOT / "hwgen").glob("*/__init__.py")}
"""Folders directly below hwgen/: each has a mutation somewhere in it."""


def problems_of(mutation: Mutation) -> list[str]:
    """What is wrong with a line of the list."""
    found = []
    try:
        text = mutation.apply((ROOT / mutation.file).read_text(encoding="utf-8"))
        if mutation.file.endswith(".py"):
            compile(text, mutation.file, "exec", dont_inherit=True)
    except (StaleError, OSError, SyntaxError) as error:
        found.append(f"{mutation.name}: {error}")
    for selected in mutation.selection:
        file, _, name = selected.partition("::")
        if not (ROOT / file).is_file():
            found.append(f"{mutation.name}: {file} is no file of tests")
        elif name not in {"", *defined_in(ROOT / file)}:
            found.append(f"{mutation.name}: {file} has no test {name}")
    return found


def defined_in(path: Path) -> set[str]:
    """Names of the tests in a file."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in nodes if isinstance(node, functions)}


def test_every_line_applies_and_names_tests_that_exist() -> None:
    assert [problem for mutation in MUTATIONS for problem in problems_of(mutation)] == []


def test_a_line_that_is_out_of_date_is_found() -> None:
    first = MUTATIONS[0]
    for change in (
        {"old": "no such text"},
        {"new": "raise ("},
        {"file": "hwgen/no_such_file.py"},
        {"tests": "golden/no_such_file.py"},
        {"tests": "golden/test_pool.py::test_that_is_not_there"},
    ):
        assert len(problems_of(Mutation(**{**vars(first), **change}))) == 1, change


def test_names_are_unique_and_every_folder_has_a_mutation() -> None:
    assert [name for name, count in Counter(m.name for m in MUTATIONS).items() if count > 1] == []
    assert len(MUTATIONS) >= MINIMUM
    touched = {mutation.file.split("/")[1] for mutation in MUTATIONS}
    assert PARTS - touched == set()


def test_a_mutation_takes_one_line() -> None:
    texts = [path.read_text(encoding="utf-8") for path in LISTS.glob("*.yaml")]
    lines = [line for text in texts for line in text.splitlines()]
    assert sum(line.startswith("- {") for line in lines) == len(MUTATIONS)
    assert all(line.startswith(("- {", "#")) for line in lines if line)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("- {name: x}", "entry 1: needs name, file, old, new and tests"),
        ("- {name: x, file: f, old: a, new: 1, tests: t}", "entry 1: new: 1 is not legal"),
        ("- {name: n, file: f, old: a, new: b, tests: t, hung: 1}", "hung: 1 is not legal"),
    ],
)
def test_a_mistake_in_a_line_is_named(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text(line)
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


def test_the_command_lists_what_a_name_or_a_glob_selects() -> None:
    run = CliRunner().invoke
    shown = run(main, ["--list", "--only", "hwgen/golden/pool.py", "--only", "k below 2 *"]).output
    names = [line for line in shown.splitlines() if not line.startswith(" ")]
    expected = [
        mutation.name
        for mutation in MUTATIONS
        if mutation.file == "hwgen/golden/pool.py" or mutation.name.startswith("k below 2 ")
    ]
    assert names == expected != []
    wrong = run(main, ["--only", "no such name"])
    assert wrong.exit_code == 2
    assert "no mutation has the name or file 'no such name'" in wrong.output
