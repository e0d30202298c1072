"""Code blocks of the documents, and the names that they use without defining them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
FRAGMENT = "<!-- fragment -->"
"""Line before a Python block that is not a program, such as a line of an algorithm."""

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


def blocks(document: Path, language: str = "python") -> list[str]:
    """The code blocks of a document in one language, without those marked as fragments."""
    pattern = rf"(?m)^(?:({FRAGMENT})\n+)?```{language}\n(.*?)^```$"
    found = re.findall(pattern, document.read_text("utf-8"), re.DOTALL)
    return [code for fragment, code in found if not fragment]


def fragments(document: Path) -> int:
    """Number of blocks that are marked as fragments."""
    return len(re.findall(rf"(?m)^{FRAGMENT}\n+```python$", document.read_text("utf-8")))


def program(document: Path) -> str:
    """The Python blocks of a document in one program."""
    return PRELUDES.get(document.name, "") + "\n".join(blocks(document))
