"""A copy of the checkout that one worker mutates, tests, and restores."""

from __future__ import annotations

import compileall
import json
import os
import py_compile
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHILD = Path(__file__).with_name("child.py")
LEFT_OUT = (
    ".git", ".venv", "venv", "out", "dist", "build", "*.egg-info", "__pycache__", ".*_cache",
    ".hypothesis",
)  # fmt: skip
PYTEST = ("-x", "-q", "-p", "no:cacheprovider", "-m", "")
"""Options of every run; the empty ``-m`` lets a mutation name a slow test."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run of tests in a copy came to."""

    seconds: float
    ended: bool = True
    code: int | None = None
    passed: int = 0
    failed: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


class Scratch:
    """A copy of a checkout below ``folder``, from which Python imports the package."""

    def __init__(self, source: Path, folder: Path, *, package: str = "hwgen") -> None:
        self.root, self._package, self._folder = folder / "copy", package, folder
        ignore = shutil.ignore_patterns(*LEFT_OUT)
        shutil.copytree(source, self.root, symlinks=True, ignore=ignore)
        # Checked by the hash of the source: a mutation of equal length in the same second is seen.
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(self.root / package, quiet=2, invalidation_mode=mode)

    @contextmanager
    def mutated(self, file: str, text: str) -> Iterator[None]:
        """Have ``text`` in a file of the copy for a while."""
        path = self.root / file
        before = path.read_bytes()
        try:
            path.write_text(text, encoding="utf-8")
            yield
        finally:
            path.write_bytes(before)

    def test(
        self, selection: Sequence[str], *, file: str | None = None, limit_s: float | None = None
    ) -> Outcome:
        """Run tests in the copy, after an import of ``file``; end them after ``limit_s``."""
        report = self._folder / "outcome.json"
        report.unlink(missing_ok=True)
        module = self._module(file)
        command = [sys.executable, "-P", str(CHILD), self._package, module, str(report)]
        start = time.monotonic()
        with (self._folder / "pytest.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *PYTEST, *selection], cwd=self.root, env=self._environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            try:
                process.wait(limit_s)
            except subprocess.TimeoutExpired:
                return Outcome(seconds=time.monotonic() - start, ended=False)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        seconds = time.monotonic() - start
        if not report.is_file():
            return Outcome(seconds=seconds, errors=(f"Python ended with {process.returncode}",))
        found = json.loads(report.read_text(encoding="utf-8"))
        self._require_own(found.pop("place"))
        lists = {name: tuple(found.pop(name)) for name in ("failed", "errors")}
        return Outcome(seconds=seconds, **found, **lists)

    def _module(self, file: str | None) -> str:
        """Name under which the package's file is imported; - for other files."""
        if file is None or not file.startswith(f"{self._package}/") or not file.endswith(".py"):
            return "-"
        parts = file.removesuffix(".py").split("/")
        if parts[-1] == "__main__":  # would run the program
            return "-"
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _environment(self) -> dict[str, str]:
        """The caller's environment, with the copy's package, no bytecode and an own cache.

        Plugins of pytest, among them xdist, would take most of the time of a short test to load.
        """
        outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        return outer | {
            "PYTHONPATH": str(self.root / ".editable"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "XDG_CACHE_HOME": str(self._folder / "cache"),
        }

    def _require_own(self, place: str | None) -> None:
        """A package from elsewhere would never show a mutation."""
        if place is not None and not Path(place).resolve().is_relative_to(self.root.resolve()):
            raise RuntimeError(f"{self._package} comes from {place}, not from {self.root}")
