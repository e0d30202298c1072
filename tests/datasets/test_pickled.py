"""Pickles that ask for more than CIFAR's have, or for gigabytes."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from hwgen.datasets import load
from hwgen.errors import DataError

PACK: dict[str, Callable[[], bytes]] = {
    # A float list, a global that is not NumPy's, a memo entry of 2^31, a frame of 2^60 bytes.
    "opcode": lambda: pickle.dumps({"data": 1.5}),
    "global": lambda: pickle.dumps({"data": os.getcwd}),
    "memo": lambda: b"\x80\x02}r\xff\xff\xff\x7fq\x00h\x01.",
    "frame": lambda: b"\x80\x04\x95" + (1 << 60).to_bytes(8, "little") + b"}.",
    "bytes": lambda: b"\x80\x04\x8e" + (1 << 60).to_bytes(8, "little") + b"}.",
    "encode": lambda: (
        b"\x80\x02c_codecs\nencode\nq\x00X\x10\x00\x00\x00" + b"a" * 16 + b"\x85q\x01"
        + b"h\x00h\x01R" * 1000 + b"."
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PACK)
def test_pickles_that_ask_for_more_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "test_batch").write_bytes(PACK[name]())
    with pytest.raises(DataError) as error:
        load(tmp_path, split="test")
    assert str(error.value).isprintable()
