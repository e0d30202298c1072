"""Mutations of files for the fuzz targets of benchmarks/loader_fuzz.py: of bytes and of values."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

TOKENS = (
    b"\0", b"\xff", b"\n", b"\r", b"&a ", b"*a", b"!!binary ", b"!!python/name:os.system ", b"<<: ",
    b"? ", b"- " * 50, b"[" * 50, b"{" * 50, b"}", b"]", b'"', b"'", b": ", b"#", b"---\n", b"|\n",
    b".nan", b"NaN", b"-.inf", b"1.0e+999", b"1e999", b"9" * 5_000, b"0x" + b"f" * 5_000,
    b"1" + b":59" * 2_000, b"2001-01-01", b"0b_", b"\xed\xa0\x80", b"\\ud800", b"\\x1b[31m",
    b"\x1b[2J",
    b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\7", b"\x93NUMPY\1\0", b"'descr': '|O'", b"\xff" * 8,
)  # fmt: skip
"""Bytes that mean something to YAML, JSON, ZIP or NumPy."""


def deep(levels: int) -> list[Any]:
    """Lists within lists."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


HOSTILE: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2, 3, 7, 255, 2**16, 2**31, 2**63, -(2**63), 10**40, 0.5, -1e300,
    float("nan"), float("inf"), "", "x", "0", "a\nb", "\0", "\x1b[31m", "\U0001f600", "n" * 5_000,
    "../../x", "radix", "rate", [], [1], [1, 2, 3, 4], [[]], {}, {"a": 1}, {"": {}},
    list(range(300)), deep(30), deep(90), {"kind": "layer"}, {"kind": "read_out"},
)  # fmt: skip
"""Values for any place of a document."""


@st.composite
def changed_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """``content`` with one to four changes: flips, cuts, repeats, insertions.

    Half of them are at the start or the end, where formats have their headers and tables.
    """
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        last = max(0, len(changed) - 1)
        anywhere, head = st.integers(0, last), st.integers(0, min(200, last))
        start = draw(st.one_of(anywhere, anywhere, head, st.integers(max(0, last - 200), last)))
        length = draw(st.sampled_from((1, 1, 2, 4, 16, 200)))
        match draw(st.integers(0, 5)):
            case 0:
                changed[start : start + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del changed[start : start + length]
            case 2:
                changed[start:start] = changed[start : start + length]
            case 3:
                changed[start:start] = draw(st.sampled_from(TOKENS))
            case 4:
                token = draw(st.sampled_from(TOKENS))
                changed[start : start + len(token)] = token
            case _:
                del changed[start:]
    return bytes(changed)


@st.composite
def changed_tree(draw: st.DrawFn, tree: Any) -> Any:
    """A copy of ``tree`` with one to three changes: values, keys, items."""
    root = [copy.deepcopy(tree)]
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(root))
        owner, key = places[draw(st.integers(0, len(places) - 1))]
        other_owner, other_key = places[draw(st.integers(0, len(places) - 1))]
        action = draw(st.integers(0, 6))
        if action <= 2 or owner is root:
            owner[key] = copy.deepcopy(draw(st.sampled_from(HOSTILE)))
        elif action == 3:
            del owner[key]
        elif action == 4:
            owner[key] = copy.deepcopy(other_owner[other_key])
        elif action == 5 and isinstance(owner[key], int):
            owner[key] += draw(st.sampled_from((-1, 1, 2, 1000)))
        elif isinstance(owner, dict):
            owner[draw(st.sampled_from(("x", "", "kind", "a\nb", key + "s")))] = owner[key]
        else:
            owner.insert(key, copy.deepcopy(owner[key]))
    return root[0]


def _places(whole: Any) -> Any:
    """(list or mapping, key) of every value inside, down to a depth that no document has."""
    stack = [(whole, 0)]
    while stack:
        part, depth = stack.pop()
        keys = part if isinstance(part, dict) else range(len(part))
        for key in keys:
            yield part, key
            if isinstance(part[key], dict | list) and depth < 20:
                stack.append((part[key], depth + 1))
