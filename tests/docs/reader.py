"""Runs the code blocks of a document as somebody who copies them one after the other."""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.docs.examples import RUN, Block

_CHECKER = doctest.OutputChecker()
_LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass
class Reader:
    """Runs Python in one namespace and shell commands, both in the current folder.

    Parameters
    ----------
    namespace : dict
        Names that the document takes as given, and those that its blocks define.
    """

    namespace: dict[str, Any] = field(default_factory=dict)
    printed: str = ""

    def read(self, blocks: Iterable[Block], *, slow: bool) -> None:
        """Run the blocks that are to be run, and compare the output of those that show it."""
        output = None
        for block in blocks:
            if block.mark == "output":
                if output is not None:
                    require_output(block, output)
            elif block.language in RUN:
                output = None
                if block.mark != "not run" and (slow or block.mark != "slow"):
                    output = self.run(block)
                    self.printed += output

    def run(self, block: Block) -> str:
        """Run a block and return what it prints; a failure names the document and the line."""
        return self.python(block) if block.language == "python" else shell(block)

    def python(self, block: Block) -> str:
        # Lines before the block, so that a traceback shows the line of the document.
        code = compile("\n" * (block.line - 1) + block.code, str(block.document), "exec")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(code, self.namespace)  # noqa: S102
        return output.getvalue()


def shell(block: Block) -> str:
    """Run a block in bash; it stops at the first command that fails."""
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code],
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        pytest.fail(
            f"{block}: exit code {result.returncode}\n{block.code}\n{result.stdout[-2000:]}"
            f"{result.stderr[-2000:]}",
            pytrace=False,
        )
    return result.stdout


def require_output(block: Block, output: str) -> None:
    """Fail unless ``output`` is what the document shows; "…" and "..." stand for any text."""
    shown = block.code.replace("…", "...")
    if not _CHECKER.check_output(shown, output, _LOOSE):
        pytest.fail(f"{block}: shows\n{block.code}but the output is\n{output}", pytrace=False)


def make_checkout(folder: Path, root: Path) -> None:
    """Link the folders of the checkout that examples name into ``folder``."""
    for name in ("benchmarks", "boards", "examples"):
        (folder / name).symlink_to(root / name, target_is_directory=True)
