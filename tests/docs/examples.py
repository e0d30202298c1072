"""Code blocks of the documents: which of them run, and which are marked as not run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
DOCUMENTS.append(ROOT / "tests/README.md")

RUN = ("bash", "python")
SHOWN = ("text", "console", "json", "yaml")
"""Languages of blocks that are no program: drawings, output of commands, data."""

NOT_RUN = (
    "creates an environment",
    "needs a board",
    "rewrites recorded figures",
    "runs the mutations",
    "runs the whole test suite",
)
"""Reasons of ``<!-- not run: REASON -->`` before a block."""
SLOW = ("place and route", "simulation")
"""Reasons of ``<!-- slow: REASON -->`` before a block; ``make test-slow`` runs it."""

_MARK = re.compile(r"<!-- (not run|slow|output)(?:: (.+))? -->")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A code block of a document.

    Parameters
    ----------
    document : Path
    line : int
        First line of the code, from 1.
    language : str
        Empty for a block without one, and for an indented block.
    mark, reason : str
        Of the comment before the block: "not run", "slow", "output" or "".
    """

    document: Path
    line: int
    language: str
    code: str
    mark: str = ""
    reason: str = ""

    def __str__(self) -> str:
        document = self.document
        if document.is_relative_to(ROOT):
            document = document.relative_to(ROOT)
        return f"{document}:{self.line}"


def name(document: Path) -> str:
    """Path of a document in the repository."""
    return document.relative_to(ROOT).as_posix()


def blocks(document: Path) -> list[Block]:
    """The code blocks of a document, in order, without the directives of the site."""
    found = []
    tokens = MarkdownIt("commonmark").parse(document.read_text("utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type not in ("fence", "code_block") or token.info.startswith("{"):
            continue
        assert token.map is not None
        comment = before.content.strip() if before and before.type == "html_block" else ""
        match = _MARK.fullmatch(comment)
        mark, reason = (match[1], match[2] or "") if match else ("", "")
        found.append(
            Block(
                document=document,
                line=token.map[0] + 1 + (token.type == "fence"),
                language=token.info,
                code=token.content,
                mark=mark,
                reason=reason,
            )
        )
    return found


# What the reader has: a trained model, images and labels. Stub files, for mypy alone.
STUBS = {
    "given.pyi": """
import numpy as np
from torch import nn

model: nn.Module
images: np.ndarray
labels: np.ndarray
image: np.ndarray
""",
    "serial.pyi": """
class Serial:
    def __init__(self, port: str, baudrate: int) -> None: ...
    def read(self, size: int) -> bytes: ...
    def write(self, data: bytes) -> int: ...
""",
}
PRELUDES = {"usage.md": "from given import image, images, labels, model\n"}
"""A document that is not listed defines every name that it uses."""


def program(document: Path) -> str:
    """The Python blocks of a document in one program; empty if it has none."""
    code = "\n".join(block.code for block in blocks(document) if block.language == "python")
    return code and PRELUDES.get(document.name, "") + code
