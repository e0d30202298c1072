"""Only regular files are read, up to a limit, and every reason is one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hwgen.reading import ReadingError, one_line, read_bytes, read_text


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bytes(path, limit=5) == b"12345"
    with pytest.raises(ReadingError, match="has 5 bytes, but at most 4 are read"):
        read_bytes(path, limit=4)


def test_a_file_that_states_no_size_is_read_up_to_its_limit() -> None:
    """The files of /proc have size 0 and content."""
    path = Path("/proc/self/status")
    assert path.stat().st_size == 0
    assert b"Pid:" in read_bytes(path)
    with pytest.raises(ReadingError, match="has more than 10 bytes"):
        read_bytes(path, limit=10)


def test_a_sparse_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ReadingError, match="has 1,099,511,627,776 bytes"):
        read_bytes(path)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # a reader that opens it waits for a writer
    with pytest.raises(ReadingError, match="is a pipe and not a regular file"):
        read_bytes(tmp_path / "pipe")
    with pytest.raises(ReadingError, match="is a device"):
        read_bytes(Path("/dev/zero"))
    with pytest.raises(ReadingError, match="is a folder"):
        read_bytes(tmp_path)
    with pytest.raises(ReadingError, match="no such file") as missing:
        read_bytes(tmp_path / "absent")
    assert missing.value.missing
    with pytest.raises(ReadingError, match="null"):
        read_bytes(Path("a\0b"))


def test_links_are_followed_only_where_they_may_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link") == b"x"
    with pytest.raises(ReadingError, match="is a symbolic link"):
        read_bytes(tmp_path / "link", links=False)


def test_text_is_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"ab\xff")
    with pytest.raises(ReadingError, match="is not UTF-8 text at byte 2"):
        read_text(path)


def test_foreign_text_becomes_one_short_line() -> None:
    assert one_line("a\nb\x1b[31m\0 é \U0001f600") == "a\\nb\\x1b[31m\\x00 é \U0001f600"
    assert len(one_line("x" * 10_000)) < 600
    assert one_line("head" + "x" * 10_000 + "tail").endswith("tail")
