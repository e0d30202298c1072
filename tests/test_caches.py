"""Where tools keep their caches: the user's folder, or one of their own in the temporary folder."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from hwgen import caches


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def test_the_usual_folder_is_used_where_it_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert caches.environment() == {}
    assert caches.folder() == tmp_path / "home/.cache/hwgen"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert caches.environment() == {}
    assert caches.folder() == tmp_path / "xdg/hwgen"


def unwritable(monkeypatch: pytest.MonkeyPatch, below: Path) -> None:
    """No permission bit stops root, so the question is answered instead."""
    access = os.access
    monkeypatch.setattr(
        os,
        "access",
        lambda path, mode: not Path(path).is_relative_to(below) and access(path, mode),
    )


@pytest.mark.parametrize("where", ["home", "home/.cache/YoWASP"])
def test_a_folder_that_cannot_be_written(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    (tmp_path / where).mkdir(parents=True)
    unwritable(monkeypatch, tmp_path / where)
    private = temporary / f"hwgen-cache-{os.getuid()}"
    assert caches.environment() == {"XDG_CACHE_HOME": str(private)}
    assert caches.folder() == private / "hwgen"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_no_home_at_all(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user may have no entry in the list of users."""
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    private = str(temporary / f"hwgen-cache-{os.getuid()}")
    assert caches.environment() == {"XDG_CACHE_HOME": private, "HOME": private}


@pytest.mark.parametrize("kind", ["open", "link", "file"])
def test_a_folder_that_others_may_have_made_is_not_used(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A cache holds code."""
    place = temporary / f"hwgen-cache-{os.getuid()}"
    if kind == "open":
        place.mkdir()
        place.chmod(0o777)
    elif kind == "link":
        (tmp_path / "mine").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "mine")
    else:
        place.write_text("")
    monkeypatch.setenv("HOME", "nowhere")
    if kind == "file":
        assert caches.environment() == {}
        assert caches.folder() is None
        return
    other = Path(caches.environment()["XDG_CACHE_HOME"])
    assert other != place
    assert other.parent == temporary


def test_no_temporary_folder_either(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> None:
    temporary.rmdir()
    monkeypatch.setenv("HOME", "nowhere")
    assert caches.environment() == {}
    assert caches.folder() is None
