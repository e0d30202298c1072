"""Archives of plain arrays, and those that are made to take memory or to run code."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from hwgen.reading import ReadingError
from hwgen.reading.npz import open_npz, read_npy

LIMIT = 1 << 20


def read(path: Path, *, deflated: bool = True, limit: int = LIMIT) -> dict[str, np.ndarray]:
    with open_npz(path, limit=limit, deflated=deflated) as archive:
        assert [archive.header(name).shape for name in archive.members]
        return {name: archive.read(name) for name in archive.members}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_of_numpy_come_back(save: Callable[..., None], tmp_path: Path) -> None:
    arrays = {
        "matrix": np.arange(6).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(12, dtype="f4").reshape(3, 4)),
        "number": np.array(3),
        "nothing": np.zeros((0, 3), "u1"),
        "truth": np.array([True, False]),
        "big endian": np.arange(3, dtype=">i2"),
        "half": np.arange(4, dtype="f2"),
    }
    save(tmp_path / "a.npz", **arrays)
    found = read(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_single_array(order: Literal["C", "F"], tmp_path: Path) -> None:
    array = np.array([[1.5, -2, 3], [4, 5, 6]], ">f4", order=order)
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy", limit=LIMIT), array)
    content = (tmp_path / "a.npy").read_bytes()
    for damaged, message in [
        (content + b"x", "holds 25 bytes of values, but its header"),
        (content[:-1], "holds 23 bytes"), (content[:9], "no header of plain numbers"),
        (b"", "is not in .npy format"),
    ]:  # fmt: skip
        (tmp_path / "a.npy").write_bytes(damaged)
        with pytest.raises(ReadingError, match=message):
            read_npy(tmp_path / "a.npy", limit=LIMIT)


def test_lengths_as_python_2_wrote_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", npy(text(shape="(2L, 1L)"), b"\5\7"))
    np.testing.assert_array_equal(read(tmp_path / "a.npz")["a"], [[5], [7]])


def npy(header: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode("latin-1") + data


def text(descr: str = "'|u1'", shape: str = "(1,)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(text("'|O'")), "array 'a' has type '|O'; save integers"),
        (npy(text("'<U9'")), "has type '<U9'"),
        (npy(text("[('x', '<i4')]")), "has no header of plain numbers"),
        (npy(text(shape="(__import__('os').getcwd(),)")), "has no header of plain numbers"),
        (npy(text(shape="[" * 300)), "has no header of plain numbers"),
        (npy("-" * 4000 + "1"), "has no header of plain numbers"),
        (npy(text(shape="(1 2,)")), "truncated or damaged"),
        (npy(text() + " " * 5000), "has a header of 5,0.. bytes"),
        (npy(text(shape="(2,)"), b"x"), r"holds 1 bytes .* uint8 \(2,\), calls for 2"),
        (npy(text(shape="(2,)"), b"xyz"), "holds 3 bytes"),
        (npy(text(shape=f"({'9' * 30},)")), "which is too large"),
        (npy(text(shape=f"({'1,' * 9})"), b"x"), "9 axes"),
        (b"\x93NUMPY\4\0" + b"\0" * 9, "is not in .npy format"),
        (b"", "is not in .npy format"),
    ],
)
def test_arrays_that_are_not_plain_numbers(content: bytes, message: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(ReadingError, match=message):
        read(tmp_path / "a.npz")


def test_megabytes_that_stand_for_gigabytes(tmp_path: Path) -> None:
    """An array of zeros is a thousandth of its size when it is deflated."""
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.zeros(1 << 24, np.uint8))
    assert path.stat().st_size < LIMIT
    tracemalloc.start()
    with pytest.raises(ReadingError, match="takes 16,777,344 bytes, but at most"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    with pytest.raises(ReadingError, match="must be stored, not compressed, unlike 'a.npy'"):
        read(path, limit=1 << 30, deflated=False)


def test_a_directory_that_lies_about_a_size(tmp_path: Path) -> None:
    """The directory says 1 byte, the deflated data are 16 MiB."""
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.zeros(1 << 24, np.uint8))
    edit_directory(path, 24, struct.pack("<L", 129))
    tracemalloc.start()
    with pytest.raises(ReadingError, match="damaged: Bad CRC-32"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 2 << 20
    tracemalloc.stop()


def edit_directory(path: Path, offset: int, value: bytes) -> None:
    content = bytearray(path.read_bytes())
    place = content.find(b"PK\1\2") + offset
    content[place : place + len(value)] = value
    path.write_bytes(content)


def test_members_of_one_name(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", buffer.getvalue())
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.npy", buffer.getvalue())
    with pytest.raises(ReadingError, match="holds 'a.npy' twice"):
        read(tmp_path / "a.npz")


def test_members_that_share_their_bytes(tmp_path: Path) -> None:
    """A hundred entries of the directory that all name the same megabyte."""
    path = tmp_path / "a.npz"
    np.savez(path, a=np.zeros(1 << 20, np.uint8))
    content = path.read_bytes()
    start, end = content.find(b"PK\1\2"), content.find(b"PK\5\6")
    entry = content[start:end]
    entries = b"".join(entry.replace(b"a.npy", b"%c.npy" % (97 + i)) for i in range(20))
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 20, 20, len(entries), start, 0)
    path.write_bytes(content[:start] + entries + tail)
    with pytest.raises(ReadingError, match="its members overlap"):
        read(path, limit=1 << 30)


def test_a_large_directory(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(20):
            info = zipfile.ZipInfo(f"{index}")
            info.comment = b"x" * 60_000
            archive.writestr(info, b"")
    with pytest.raises(ReadingError, match=r"has a directory of 1,2\d\d,\d\d\d bytes"):
        read(path, limit=1 << 30)


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 100, b"PK\5\6" + b"\0" * 17])
def test_files_that_are_no_archive(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ReadingError, match="is not an .npz archive"):
        read(tmp_path / "a.npz")


def test_faults_of_the_caller_are_not_taken_for_damage(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.arange(3))
    with (
        pytest.raises(ValueError, match="mine"),
        open_npz(tmp_path / "a.npz", limit=LIMIT),
    ):
        raise ValueError("mine")
