"""Data out of pickles, read by a stack machine that calls nothing.

A pickle is a program. Of its opcodes those are obeyed that build numbers, text, bytes, lists and
dictionaries; of the functions that it may name, only those that rebuild a NumPy array, and these
are not called but understood.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from hwgen.errors import DataError

_NAMES = {
    "numpy.core.multiarray _reconstruct": "array",
    "numpy._core.multiarray _reconstruct": "array",
    "numpy ndarray": "class",
    "numpy dtype": "dtype",
    "_codecs encode": "encode",
    "__builtin__ bytes": "bytes",
}
_VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "NONE", "NEWTRUE", "NEWFALSE"),
    *("BINUNICODE", "SHORT_BINUNICODE", "UNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
_TEXT = {"STRING", "BINSTRING", "SHORT_BINSTRING"}  # bytes of Python 2
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_MARK = object()
_MAX_STEPS = 2_000_000
_TYPE = re.compile(r"[<>|=]?[iu][1248]")


class _Name:
    def __init__(self, kind: str) -> None:
        self.kind = kind


class _Array:
    """An array that waits for its state; ``state`` is (version, shape, type, by columns, bytes)."""

    state: Any = None


class _Type:
    def __init__(self, name: object) -> None:
        self.name, self.order = name, "|"


def read_pickle(content: bytes, *, where: str) -> Any:
    """Numbers, text, bytes, arrays of integers, lists and dictionaries of a pickle.

    Raises :class:`.DataError` for a pickle with anything else, and for a damaged one.
    """
    machine = _Machine(where, room=len(content))
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if count > _MAX_STEPS:
                raise DataError(f"{where}: the pickle has more than {_MAX_STEPS:,} opcodes")
            machine.step(opcode.name, argument)
        return machine.result()
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(f"{where}: not a pickle of plain data, or damaged") from error


class _Machine:
    """``room`` bytes may be made by encoding text, as many as the pickle has."""

    def __init__(self, where: str, *, room: int) -> None:
        self._where = where
        self._room = room
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._steps: dict[str, Callable[[Any], None]] = {
            "PROTO": lambda _: None,
            "FRAME": lambda _: None,
            "STOP": lambda _: None,
            "MARK": lambda _: self._push(_MARK),
            "EMPTY_DICT": lambda _: self._push({}),
            "EMPTY_LIST": lambda _: self._push([]),
            "EMPTY_TUPLE": lambda _: self._push(()),
            "TUPLE": lambda _: self._push(tuple(self._to_mark())),
            "LIST": lambda _: self._push(self._to_mark()),
            "DICT": lambda _: self._push(_pairs(self._to_mark())),
            "TUPLE1": lambda _: self._push(tuple(self._take(1))),
            "TUPLE2": lambda _: self._push(tuple(self._take(2))),
            "TUPLE3": lambda _: self._push(tuple(self._take(3))),
            "APPEND": lambda _: self._extend(self._take(1)),
            "APPENDS": lambda _: self._extend(self._to_mark()),
            "SETITEM": lambda _: self._update(self._take(2)),
            "SETITEMS": lambda _: self._update(self._to_mark()),
            "MEMOIZE": lambda _: self._remember(len(self._memo)),
            **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), self._remember),
            **dict.fromkeys(
                ("GET", "BINGET", "LONG_BINGET"), lambda at: self._push(self._memo[at])
            ),
            "GLOBAL": self._name,
            "STACK_GLOBAL": lambda _: self._name(" ".join(self._take(2))),
            "REDUCE": lambda _: self._reduce(*self._take(2)),
            "BUILD": lambda _: self._build(*self._take(2)),
        }

    def step(self, name: str, argument: Any) -> None:
        if name in _VALUES:
            self._push(_CONSTANTS.get(name, argument))
        elif name in _TEXT:
            self._push(argument.encode("latin-1"))
        elif name in self._steps:
            self._steps[name](argument)
        else:
            raise DataError(f"{self._where}: the pickle has the opcode {name}, which is no data")

    def result(self) -> Any:
        (value,) = self._stack
        return _finished(value, self._where)

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _take(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise IndexError
        taken = self._stack[-count:]
        del self._stack[-count:]
        return taken

    def _to_mark(self) -> list[Any]:
        at = len(self._stack) - 1 - self._stack[::-1].index(_MARK)
        taken = self._stack[at + 1 :]
        del self._stack[at:]
        return taken

    def _extend(self, values: list[Any]) -> None:
        _require(self._stack[-1], list).extend(values)

    def _update(self, values: list[Any]) -> None:
        _require(self._stack[-1], dict).update(_pairs(values))

    def _remember(self, at: int) -> None:
        self._memo[at] = self._stack[-1]

    def _name(self, name: str) -> None:
        if name not in _NAMES:
            raise DataError(
                f"{self._where}: the pickle calls {name[:60]!a}; only NumPy arrays, text and "
                f"numbers are read from a pickle"
            )
        self._push(_Name(_NAMES[name]))

    def _reduce(self, function: Any, arguments: Any) -> None:
        match _require(function, _Name).kind, arguments:
            case "array", (_Name(), *_):
                self._push(_Array())
            case "bytes", ():
                self._push(b"")
            case "dtype", (str() | bytes() as name, *_):
                self._push(_Type(name))
            case "encode", (str() as text, *_):
                self._room -= len(text)
                if self._room < 0:
                    raise ValueError
                self._push(text.encode("latin-1"))
            case _:
                raise TypeError

    def _build(self, target: Any, state: Any) -> None:
        if isinstance(target, _Type):
            target.order = _text(state[1])
        else:
            _require(target, _Array).state = state
        self._push(target)


def _require(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value


def _pairs(values: list[Any]) -> dict[Any, Any]:
    return dict(zip(values[::2], values[1::2], strict=True))


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _finished(value: Any, where: str) -> Any:
    """A dictionary with text for keys, and its arrays made; anything else is refused."""
    if not isinstance(value, dict):
        raise DataError(f"{where}: the pickle must hold a dictionary of arrays and lists")
    return {
        _text(key): _array(part, where) if isinstance(part, _Array) else part
        for key, part in value.items()
    }


def _array(found: _Array, where: str) -> np.ndarray:
    _, shape, kind, by_columns, content = found.state
    name = _text(_require(kind, _Type).name)
    if not _TYPE.fullmatch(name):
        raise DataError(f"{where}: arrays in the pickle must be integers, not {name[:20]!a}")
    plain = np.frombuffer(
        _require(content, bytes), np.dtype(name).newbyteorder(">" if kind.order == ">" else "<")
    )
    lengths = [int(length) for length in shape]
    return plain.reshape(lengths[::-1]).T if by_columns else plain.reshape(lengths)
