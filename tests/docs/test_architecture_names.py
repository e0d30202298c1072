"""Names of files and folders in the documents: they exist, and the tree is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "docs/architecture.md"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILE = re.compile(r"`([\w/.-]+\.(?:py|v|j2))`")


def lies_somewhere(name: str) -> bool:
    """Whether ``name`` is a path in the repository, or in ``hwgen/``."""
    return any((top / name).is_file() for top in (ROOT, ROOT / "hwgen"))


def section(text: str, title: str) -> str:
    """Text of a section, up to the next one of the same or a higher level."""
    level, _, _ = title.partition(" ")
    _, _, rest = text.partition(f"\n{title}\n")
    assert rest, f"no section {title!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_files_exist(document: Path) -> None:
    # In docs/hardware.md NAME.v is a pattern of generated files, and bench.py a file of the reader.
    named = set(FILE.findall(document.read_text()))
    names = named - {"NAME.v", "bench.py"}
    assert sorted(name for name in names if not lies_somewhere(name)) == []


def test_the_tree_lists_every_folder() -> None:
    block = section(ARCHITECTURE.read_text(), "## The tree").split("```")[1]
    listed: list[str] = []
    path: list[str] = []
    for line in block.splitlines():
        if match := re.match(r"([│├└─ ]*)([\w/]+)/ ", line):
            depth = len(match[1]) // 3
            path = [*path[:depth], match[2]]
            listed.append("/".join(path))
    assert len(set(listed)) == len(listed)
    assert [folder for folder in listed if not (ROOT / folder).is_dir()] == []
    packages = {
        str(file.parent.relative_to(ROOT)) for file in (ROOT / "hwgen").rglob("__init__.py")
    }
    assert {folder for folder in listed if folder.startswith("hwgen")} == packages


def test_no_file_occurs_twice_on_the_way() -> None:
    title = "## A weight's way and a spike's way through the code"
    text = section(ARCHITECTURE.read_text(), title)
    names = FILE.findall(text)
    assert len(names) >= 40
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert [name for name in names if not lies_somewhere(name)] == []
    # Every step of a table names a file.
    rows = [row for row in text.splitlines() if row.startswith("| ") and row.count("|") > 2]
    assert [row for row in rows if not FILE.search(row)] == [
        "| file | what happens to the weight |",
        "| | golden | hardware |",
    ]
