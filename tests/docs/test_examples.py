"""Every code block of the documents runs, or is marked with the reason why it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hwgen.artefact.build_folder import StreamEntry
from hwgen.build import Build
from tests.docs.examples import DOCUMENTS, NOT_RUN, ROOT, RUN, SHOWN, SLOW, Block, blocks, name
from tests.docs.given import GIVEN
from tests.docs.reader import Reader, make_checkout

BLOCKS = {name(document): blocks(document) for document in DOCUMENTS}
MARKED = {
    ("CONTRIBUTING.md", "creates an environment"): 1,
    ("README.md", "creates an environment"): 1,
    ("docs/mutations.md", "runs the mutations"): 1,
    ("tests/README.md", "rewrites recorded figures"): 1,
    ("tests/README.md", "runs the whole test suite"): 1,
}
"""Blocks that no test runs: their number, by document and reason."""


def fast(found: list[Block]) -> list[Block]:
    """Blocks that run in every test run."""
    return [block for block in found if block.language in RUN and not block.mark]


def slow(found: list[Block]) -> list[Block]:
    """Blocks that only the slow tests run."""
    return [block for block in found if block.mark == "slow"]


def mistakes(found: list[Block]) -> list[str]:
    """Blocks that would escape: of another language, or with a mark that does not fit."""
    wrong = []
    for block in found:
        if block.language not in (*RUN, *SHOWN):
            wrong.append(f"{block}: language {block.language!r} is not one of {(*RUN, *SHOWN)}")
        runs = block.language in RUN
        marks = {
            "": True,
            "not run": runs and block.reason in NOT_RUN,
            "slow": runs and block.reason in SLOW,
            "output": block.language == "text" and not block.reason,
        }
        if not marks[block.mark]:
            wrong.append(f"{block}: {block.mark!r} with the reason {block.reason!r}")
    return wrong


@pytest.mark.parametrize("document", BLOCKS)
def test_no_block_escapes(document: str) -> None:
    assert mistakes(BLOCKS[document]) == []
    # A comment that is misspelled, or that no block follows, marks nothing.
    text = (ROOT / document).read_text("utf-8")
    comments = re.findall(r"^<!--.*-->$", text, re.MULTILINE)
    assert len(comments) == sum(bool(block.mark) for block in BLOCKS[document])


def test_blocks_that_do_not_run_are_few() -> None:
    found: dict[tuple[str, str], int] = {}
    for document, parts in BLOCKS.items():
        for block in parts:
            if block.mark == "not run":
                found[document, block.reason] = found.get((document, block.reason), 0) + 1
    assert found == MARKED


def test_data_of_the_documents_is_valid() -> None:
    shown = [block for found in BLOCKS.values() for block in found if block.language == "json"]
    assert [json.loads(block.code)["node"] for block in shown] == ["conv1"]
    for block in (block for found in BLOCKS.values() for block in found):
        assert block.language != "yaml" or yaml.safe_load(block.code), str(block)
    assert StreamEntry.model_validate_json(shown[0].code).shape == (16, 14, 14)


def check_usage(reader: Reader) -> None:
    found = reader.namespace
    assert found["words"] == [0, 0, 0, 0]
    assert found["simulation"].bit_exact
    assert found["simulation"].samples == 10
    assert found["trains"].shape == (4, 4, 16, 2, 2)
    assert Path("build/report.html").is_file()
    assert Build.open("again").manifest.plan == found["build"].manifest.plan
    if "routed" in found:
        assert re.search(r"^\d+\.\d+ MHz, \d+ LUT4$", reader.printed, re.MULTILINE)


CHECKS: dict[str, Callable[[Reader], None]] = {"docs/usage.md": check_usage}


def read(document: str, folder: Path, patch: pytest.MonkeyPatch, *, slow: bool) -> None:
    """Run the examples of a document in ``folder``, and check what they leave behind."""
    make_checkout(folder, ROOT)
    patch.chdir(folder)
    namespace: dict[str, Any] = GIVEN[document](patch) if document in GIVEN else {}
    reader = Reader(namespace)
    reader.read(BLOCKS[document], slow=slow)
    if document in CHECKS:
        CHECKS[document](reader)


@pytest.mark.parametrize("document", [document for document in BLOCKS if fast(BLOCKS[document])])
def test_examples_run(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(document, tmp_path, monkeypatch, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("document", [document for document in BLOCKS if slow(BLOCKS[document])])
def test_slow_examples_run(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(document, tmp_path, monkeypatch, slow=True)


def test_a_block_that_escapes_is_a_mistake(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```\nhwgen demo\n```\n"
        "<!-- not run: too long -->\n```bash\nhwgen demo\n```\n"
        "<!-- slow: simulation -->\n```text\ndone\n```\n"
        "<!-- output -->\n```python\n1\n```\n"
        "<!-- not run: needs a board -->\n```bash\nhwgen demo\n```\n"
    )
    found = [int(mistake.split(":")[1]) for mistake in mistakes(blocks(page))]
    assert found == [2, 6, 10, 14]
