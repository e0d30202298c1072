"""Claims of places: who is refused, what is left, and what the next process removes."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from hwgen.artefact import claim
from hwgen.artefact.atomic import replace_file, replace_folder
from hwgen.artefact.claim import claimed, clean, in_use
from hwgen.errors import StorageError

Claim = AbstractContextManager[object]


@contextmanager
def another_process(kind: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds ``path`` until its input ends; it is called like the program."""
    code = (  # the file alone: the package around it takes a second to import
        "import runpy, sys\n"
        f"with runpy.run_path({claim.__file__!r})[{kind!r}]({str(path)!r}) as fresh:\n"
        "    if fresh: (fresh / 'half.txt').write_text('half')\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "hwgen", "build", "a\x1bb"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_the_second_process_names_the_first(tmp_path: Path) -> None:
    """The line of the other process is shown without the signs that move a cursor."""
    target = tmp_path / "net"
    with another_process("claimed", target) as first:
        holder = rf"net: in use by process {first.pid} \(hwgen build 'a\?b'\); wait for its end"
        with pytest.raises(StorageError, match=holder), claimed(target):
            pass
    with claimed(target):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ("claimed", claimed, True),
        ("claimed", in_use, True),
        ("in_use", claimed, True),
        ("in_use", in_use, False),
    ],
)
def test_who_goes_with_whom(tmp_path: Path, first: str, second: object, refused: bool) -> None:
    target = tmp_path / "net"
    target.mkdir()
    assert callable(second)
    with another_process(first, target):
        if refused:
            with pytest.raises(StorageError, match="in use by process"), second(target):
                pass
        else:
            with second(target):
                pass
    assert os.listdir(tmp_path) == ["net"]


def test_a_folder_that_is_replaced_before_it_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that has the name now is locked, not the one that had it when it was opened."""
    target, flock = tmp_path / "net", fcntl.flock
    target.mkdir()

    def late(descriptor: int, kind: int) -> None:
        if not (tmp_path / "old").exists():
            target.rename(tmp_path / "old")
            target.mkdir()
        flock(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", late)
    with in_use(target):
        monkeypatch.undo()
        code = f"claim = __import__('runpy').run_path({claim.__file__!r})['claimed']"
        code += f"({str(target)!r}).__enter__()"
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "in use by process" in refused.stderr


def test_a_thread_is_another_holder(tmp_path: Path) -> None:
    found: list[str] = []

    def second() -> None:
        try:
            with claimed(tmp_path / "net"):
                pass
        except StorageError as error:
            found.append(str(error))

    with claimed(tmp_path / "net"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(found) == 1
    assert f"process {os.getpid()}" in found[0]


def test_a_claim_within_a_claim(tmp_path: Path) -> None:
    """A command claims its output before it works, and the writer claims it again."""
    target = tmp_path / "a" / "net"
    for text in ("1", "2"):
        with claimed(target):
            for _ in range(2):
                with replace_folder(target) as fresh:
                    (fresh / "x").write_text(text)
        assert (target / "x").read_text() == text
    assert os.listdir(target.parent) == ["net"]


def test_parents_go_again_if_nothing_came_of_them(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), claimed(tmp_path / "a" / "b" / "net"):
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("next_one", [claimed, in_use, clean])
def test_what_a_killed_process_left_is_removed(tmp_path: Path, next_one: object) -> None:
    target = tmp_path / "net"
    replace_file(tmp_path / "kept", "mine")
    with replace_folder(target):
        pass
    with another_process("claimed", target) as killed:
        killed.kill()
        killed.wait()
        (target / ".report.json.hwgen-new").write_text("half")
        assert sorted(os.listdir(tmp_path)) == [".net.hwgen-new", "kept", "net"]
    assert callable(next_one)
    if next_one is clean:
        clean(target)
    else:
        with next_one(target):
            pass
    assert sorted(os.listdir(tmp_path)) == ["kept", "net"]
    assert os.listdir(target) == ([".report.json.hwgen-new"] if next_one is claimed else [])


def test_what_a_living_process_writes_is_not_removed(tmp_path: Path) -> None:
    target = tmp_path / "build" / "synth"
    with another_process("claimed", target), in_use(tmp_path / "build"):
        left = tmp_path / "build" / ".synth.hwgen-new"
        assert (left / "half.txt").read_text() == "half"


def test_a_name_of_full_length(tmp_path: Path) -> None:
    """The hidden name beside it would be too long."""
    target = tmp_path / ("n" * 255)
    with replace_folder(target) as fresh:
        (fresh / "x").write_text("1")
    replace_file(target / ("f" * 255), "2")
    assert sorted(os.listdir(target)) == ["f" * 255, "x"]
    with pytest.raises(StorageError, match="File name too long"), claimed(f"{target}n"):
        pass


def test_a_link_in_the_hidden_place_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("years of work")
    (tmp_path / ".net.hwgen-new").symlink_to(precious)
    with pytest.raises(StorageError, match="cannot be written"), claimed(tmp_path / "net"):
        pass
    assert os.listdir(precious) == ["thesis.tex"]
