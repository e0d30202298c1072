"""Damages a file at random: bytes, and values of JSON in its place."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

ODD: list[Any] = [
    None, True, False, 0, 1, -1, 1 << 31, (1 << 63) - 1, 1 << 63, -(1 << 63), 10**30, 0.5, -0.5,
    1e308, 5e-324, "", "a", "\0", "\n", "\x1b[2J", "../x", "/dev/zero", "-p", "a;b", "<b>", "ü",
    "a" * 5000, "1", "9" * 4000, [], {}, [[]], [0] * 50, {"a": 1}, {"": None}, "none", "lut4",
    "input",
]  # fmt: skip


def mutate(text: bytes, seed: int) -> bytes:
    """``text`` after one to three random edits; the same for the same seed."""
    chance = random.Random(seed)
    if chance.random() < 0.25:
        return _bytes(text, chance)
    document = json.loads(text)
    for _ in range(chance.randint(1, 3)):
        document = _values(document, chance)
    return json.dumps(document).encode()


def _bytes(text: bytes, chance: random.Random) -> bytes:
    edited = bytearray(text)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(edited) + 1)
        match chance.randrange(5):
            case 0:
                edited[place:place] = bytes([chance.randrange(256)])
            case 1:
                del edited[place : place + chance.choice([1, 2, 50])]
            case 2:
                edited[place : place + 1] = chance.choice([b'"', b"[", b"{", b"9" * 5000, b"e999"])
            case 3:
                edited = edited[:place]
            case _:
                edited[place:place] = edited[place : place + 100]
    return bytes(edited)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container and key in a document."""
    if isinstance(value, dict | list):
        keys = value.keys() if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield value, key
            yield from _places(value[key])


def _values(document: Any, chance: random.Random) -> Any:
    places = list(_places(document))
    if not places:
        return copy.deepcopy(chance.choice(ODD))
    parent, key = chance.choice(places)
    match chance.randrange(7):
        case 0:
            del parent[key]
        case 1:
            copied = json.dumps(chance.choice([other[name] for other, name in places]))
            parent[key] = json.loads(copied) if len(copied) < 5000 else None
        case 2 if isinstance(parent[key], int | float):
            parent[key] = parent[key] * chance.choice([0, -1, 2, 1000, 0.5])
        case 3 if isinstance(parent, dict):
            parent[str(chance.choice(ODD))[:50]] = copy.deepcopy(parent[key])
        case 4 if isinstance(parent, list):
            parent.insert(key, copy.deepcopy(parent[key]))
        case _:
            parent[key] = copy.deepcopy(chance.choice(ODD))
    return document
