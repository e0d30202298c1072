"""docs/mutations.md: its examples are lines of the list, and its survivors those with a reason."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import yaml

from tests.mutation.__main__ import main
from tests.mutation.entries import Mutation, load

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/mutations.md").read_text(encoding="utf-8")
MUTATIONS = load()


def blocks(kind: str) -> list[str]:
    """Contents of the code blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """Text below a heading, up to the next one."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_examples_are_lines_of_the_list() -> None:
    (block,) = blocks("yaml")
    examples = [Mutation(**line) for line in yaml.safe_load(block)]
    assert len(examples) == len(block.splitlines()) == 3
    assert [example for example in examples if example not in MUTATIONS] == []


def test_the_commands_are_accepted() -> None:
    commands = [
        line.partition("#")[0].split("python -m tests.mutation ")[1]
        for line in blocks("bash")[0].splitlines()
        if line.startswith("python")
    ]
    assert len(commands) >= 4
    for command in commands:
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", command)]
        main.make_context("mutation", words, parent=None)
    with pytest.raises(click.UsageError):
        main.make_context("mutation", ["--no-such-option"])


def test_survivors_are_those_with_a_reason() -> None:
    named = re.findall(r"^- \*\*(.+?)\*\*", section("Survivors"), re.MULTILINE)
    assert sorted(named) == sorted(m.name for m in MUTATIONS if m.equivalent)


def test_the_table_names_every_folder_and_adds_up() -> None:
    rows = re.findall(r"^\| `?([\w/ .]+?)`? \| (\d+) \| (\d+) \| (\d+) \|", section("The last run"),
                      re.MULTILINE)  # fmt: skip
    *folders, total = [(name, *map(int, numbers)) for name, *numbers in rows]
    assert total[0] == "all"
    assert tuple(map(sum, zip(*(row[1:] for row in folders), strict=True))) == total[1:]
    assert {m.group for m in MUTATIONS} <= {row[0] for row in folders}
    assert total[2] >= 0.95 * total[1]
