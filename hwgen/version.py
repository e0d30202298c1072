"""Version of hwgen: of the installed wheel or, in a checkout, of the state of its files."""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from hwgen.resources import FOLDERS

_PACKAGE = ("--", "hwgen", *FOLDERS)  # what a wheel holds


@cache
def version() -> str:
    """Version of the code that runs; two states of a checkout never share one.

    In a checkout it is ``0+gCOMMIT``, with ``.dHASH`` after it if files of the package differ from
    the commit. Neither tags, the depth of the clone nor the time count: the same files have the
    same version everywhere. Elsewhere, or without git, it is the installed distribution's.
    """
    return checkout_version(Path(__file__).resolve().parents[1]) or _installed()


def _installed() -> str:
    try:
        return metadata.version("hwgen")
    except metadata.PackageNotFoundError:
        return "unknown"


def checkout_version(root: Path) -> str | None:
    """Version of the files below ``root``; None if it is not a checkout, or git does not answer."""
    if not (root / ".git").exists():  # a folder or, in a worktree or submodule, a file
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD").decode("ascii").strip()
        changed = _git(root, "diff", "--name-only", "--no-renames", "-z", "HEAD", *_PACKAGE)
        changed += _git(root, "ls-files", "--others", "--exclude-standard", "-z", *_PACKAGE)
    except (OSError, subprocess.CalledProcessError):
        return None
    if not changed:
        return f"0+g{commit[:12]}"
    # Of names and contents: the text of a diff depends on the user's settings.
    digest = hashlib.sha256()
    for name in sorted({*changed.split(b"\0")} - {b""}):
        path = root / os.fsdecode(name)
        digest.update(hashlib.sha256(name).digest())
        digest.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"deleted")
    return f"0+g{commit[:12]}.d{digest.hexdigest()[:12]}"


def _git(root: Path, *arguments: str) -> bytes:
    # A hook of git sets these for the repository that it runs in, which may be another one.
    foreign = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")
    env = {name: value for name, value in os.environ.items() if name not in foreign}
    command = ["git", "--no-optional-locks", *arguments]
    return subprocess.run(command, cwd=root, env=env, capture_output=True, check=True).stdout
