"""Folders and files that are written completely or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hwgen.artefact.atomic import replace_file, replace_folder
from hwgen.artefact.claim import clean
from hwgen.errors import StorageError, ToolError


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def before(tmp_path: Path) -> Path:
    target = tmp_path / "net"
    target.mkdir()
    (target / "old.txt").write_text("old")
    return target


def test_a_folder_is_replaced_and_keeps_nothing_of_the_old_one(tmp_path: Path) -> None:
    target = before(tmp_path)
    with replace_folder(target) as fresh:
        assert fresh.parent == target.parent
        (fresh / "new.txt").write_text("new")
        assert tree(target) == {"old.txt": "old"}
    assert tree(tmp_path) == {"net/new.txt": "new"}
    assert (target.stat().st_mode & 0o777) == 0o777 & ~_umask()


def test_parents_are_made_and_a_link_is_followed(tmp_path: Path) -> None:
    with replace_folder(tmp_path / "a" / "b" / "net") as fresh:
        (fresh / "x").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "a" / "b" / "net")
    with replace_folder(tmp_path / "link") as fresh:
        (fresh / "y").write_text("y")
    assert tree(tmp_path / "a") == {"b/net/y": "y"}
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("error", [ToolError("yosys failed"), KeyboardInterrupt()])
def test_an_error_in_the_block_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    target = before(tmp_path)

    def write_half() -> None:
        with replace_folder(target) as fresh:
            (fresh / "half.txt").write_text("half")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert tree(tmp_path) == {"net/old.txt": "old"}
    assert os.listdir(tmp_path) == ["net"]


@pytest.fixture
def cannot_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that cannot exchange two folders at once."""

    def fail(*_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("hwgen.artefact.atomic._exchange", fail)


def test_a_folder_is_never_missing_while_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one is not moved away first: one exchange puts the new one in its place."""
    target = before(tmp_path)
    monkeypatch.setattr(Path, "rename", lambda *_: pytest.fail("a folder was moved"))
    with replace_folder(target) as fresh:
        (fresh / "new.txt").write_text("new")
    assert tree(tmp_path) == {"net/new.txt": "new"}


@pytest.mark.usefixtures("cannot_exchange")
def test_a_folder_is_replaced_in_two_steps_otherwise(tmp_path: Path) -> None:
    with replace_folder(before(tmp_path)) as fresh:
        (fresh / "new.txt").write_text("new")
    assert tree(tmp_path) == {"net/new.txt": "new"}
    assert os.listdir(tmp_path) == ["net"]


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.usefixtures("cannot_exchange")
def test_the_roll_back_when_the_second_rename_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    """The old folder is out of the way already, and the new one cannot be moved in."""
    target = before(tmp_path) if exists else tmp_path / "net"
    rename, calls = Path.rename, []

    def failing(source: Path, to: Path) -> Path:
        calls.append((source.name, Path(to).name))
        if source.name.endswith("-new"):
            assert not target.exists()
            raise OSError(18, "Invalid cross-device link")
        return rename(source, to)

    monkeypatch.setattr(Path, "rename", failing)
    message = f"{target}: cannot be written: .*cross-device"
    with pytest.raises(StorageError, match=message), replace_folder(target) as fresh:
        (fresh / "new.txt").write_text("new")
    assert len(calls) == (3 if exists else 1)
    assert tree(tmp_path) == ({"net/old.txt": "old"} if exists else {})
    assert os.listdir(tmp_path) == (["net"] if exists else [])


@pytest.mark.usefixtures("cannot_exchange")
def test_a_failed_roll_back_keeps_the_only_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process puts it back."""
    target = before(tmp_path)
    rename = Path.rename

    def failing(source: Path, to: Path) -> Path:
        if source == target:
            return rename(source, to)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(StorageError, match="cannot be written"), replace_folder(target):
        pass
    assert tree(tmp_path) == {".net.hwgen-old/old.txt": "old"}
    monkeypatch.undo()
    clean(target)
    assert tree(tmp_path) == {"net/old.txt": "old"}


def test_a_file_is_replaced_or_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    replace_file(path, "Σ\n")
    assert path.read_bytes() == "Σ\n".encode()
    replace_file(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StorageError, match=r"report\.json: cannot be written: .*No space left"):
        replace_file(path, "new")
    assert path.read_bytes() == b"\x00\xff"
    assert os.listdir(tmp_path) == ["report.json"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
