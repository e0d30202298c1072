"""The document in ``network.yaml``: pydantic models derived from the classes of hwgen.network.

Arrays are kept apart in a list; the document holds their indices, so that names of nodes, which
may hold dots, slashes or anything else, never become names of files or keys.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import Field as DataclassField
from dataclasses import fields
from enum import StrEnum
from functools import cache, reduce
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import BaseModel, Field, create_model

from hwgen.network import Input, InverseLeak, Neuron, Node, Projection
from hwgen.validation import FrozenModel

FORMAT = "hwgen-network"
VERSION = 2
"""Newest version of the format. A network is written in the oldest version that can hold it:
version 2 added leaks below 2 and the fractional bits of a readout."""

Index = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ArrayModel(FrozenModel):
    """One array of ``weights.npz``."""

    dtype: Literal["int8", "int16", "int32", "int64", "uint8", "uint16"]
    shape: Annotated[list[Annotated[int, Field(ge=1, lt=1 << 31)]], Field(max_length=5)]
    sha256: Sha256


def classes_of(kinds: Any) -> dict[str, type]:
    """The classes that a field of type Node, Projection or Neuron may hold, by their ``kind``."""
    classes: Iterable[Any] = get_args(kinds) if isinstance(kinds, UnionType) else _concrete(kinds)
    return {one.kind: one for one in classes}


def stored_fields(cls: type) -> dict[str, tuple[DataclassField[Any], Any]]:
    """The fields of a class that a document holds, each with its type, by name."""
    hints = get_type_hints(cls)
    return {item.name: (item, hints[item.name]) for item in fields(cls) if item.init}


@cache
def model_of(cls: type) -> type[BaseModel]:
    """The model of an object of ``cls``; its ``kind`` comes first, if it has one."""
    entries: dict[str, Any] = {}
    if hasattr(cls, "kind"):
        entries["kind"] = (Literal[cls.kind], ...)
    for name, (item, hint) in stored_fields(cls).items():
        entries[name] = (_entry(hint), None if item.metadata.get("optional") else ...)
    return create_model(f"{cls.__name__}Model", __base__=FrozenModel, **entries)


def _entry(hint: Any) -> Any:
    """Type in the document of a field of type ``hint``."""
    if hint is np.ndarray:
        return Index
    if hint is InverseLeak:
        return _integers(2)
    if hint in (Node, Projection, Neuron):
        models: list[Any] = [model_of(cls) for cls in classes_of(hint).values()]
        return Annotated[reduce(operator.or_, models), Field(discriminator="kind")]
    if get_origin(hint) is tuple:
        first, *others = get_args(hint)
        return _list_of(first) if others == [...] else _integers(1 + len(others))
    if get_origin(hint) is UnionType:  # X | None
        (other,) = (arg for arg in get_args(hint) if arg is not NoneType)
        return _entry(other) | None
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return str  # verify() names the words
    return hint


def _list_of(hint: Any) -> Any:
    return GenericAlias(list, (_entry(hint),))


def _integers(count: int) -> Any:
    return Annotated[list[int], Field(min_length=count, max_length=count)]


def _concrete(cls: Any) -> Iterator[Any]:
    for one in cls.__subclasses__():
        if "kind" in vars(one):
            yield one
        yield from _concrete(one)


class _Document(FrozenModel):
    format: Literal["hwgen-network"]
    version: Literal[1, 2]
    sha256: Sha256
    name: str
    probe: Index | None
    provenance: dict[str, Any]
    arrays: list[ArrayModel]


Document = create_model(
    "Document", __base__=_Document, input=(model_of(Input), ...), nodes=(_list_of(Node), ...)
)
"""The whole document; ``input`` and ``nodes`` follow the dataclasses."""
