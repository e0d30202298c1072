"""Links and pictures of the documents lead to files, and to headings that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.docs.examples import DOCUMENTS, ROOT, name


def tokens(document: Path) -> list[Token]:
    """All tokens of a document, those inside of paragraphs included."""
    parsed = MarkdownIt("commonmark").enable("table").parse(document.read_text("utf-8"))
    return [inner for token in parsed for inner in (token, *(token.children or ()))]


def links(document: Path) -> list[str]:
    """Targets of the links and pictures of a document."""
    found = (token.attrs.get("href", token.attrs.get("src")) for token in tokens(document))
    return [str(link) for link in found if link is not None]


def anchors(document: Path) -> set[str]:
    """Anchors of a document's headings, as a Git host and the site name them."""
    found: set[str] = set()
    parsed = tokens(document)
    for opening, inline in zip(parsed, parsed[1:], strict=False):
        if opening.type != "heading_open":
            continue
        text = "".join(token.content for token in inline.children or ())
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        again = sum(anchor == slug or re.fullmatch(rf"{slug}-\d+", anchor) is not None
                    for anchor in found)  # fmt: skip
        found.add(f"{slug}-{again}" if again else slug)
    return found


def dead(document: Path) -> list[str]:
    """Links of a document that lead nowhere; those to other hosts are not followed."""
    wrong = []
    for link in links(document):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    assert dead(document) == []


def test_documents_link_to_each_other() -> None:
    assert sum(len(links(document)) for document in DOCUMENTS) > 50
    assert {"docs/usage.md", "docs/flow.svg"} <= set(links(ROOT / "README.md"))


def test_a_link_to_nothing_is_dead(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `name`\n# Twice\n# Twice\n```\n# Code\n```\n[a](#a-name) [b](page.md#twice-1)\n\n"
        "| [c](#code) | [d](none.md) |\n|---|---|\n| [e](page.md) | ![f](none.svg) |\n\n"
        "[g][h] [i](https://example.org/none)\n\n[h]: page.md#twice-2\n"
    )
    assert dead(page) == ["#code", "none.md", "none.svg", "page.md#twice-2"]
