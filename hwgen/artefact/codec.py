"""From a network to the document of ``network.yaml`` and its arrays, and back."""

from __future__ import annotations

from dataclasses import is_dataclass
from enum import StrEnum
from typing import Any, get_args

import numpy as np
from pydantic import BaseModel

from hwgen.artefact.schema import FORMAT, classes_of, stored_fields
from hwgen.errors import ArtefactError
from hwgen.network import Input, InverseLeak, Network, Node


class Writer:
    """Describes objects, and collects their arrays in the smallest type that holds each."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []

    def network(self, network: Network) -> dict[str, Any]:
        """The document of ``network``, without ``sha256`` and ``arrays``."""
        return {
            "format": FORMAT,
            "version": 2 if any(layer.neuron.leak.rounds for layer in network.layers) else 1,
            "name": network.name,
            "input": self._value(network.input),
            "nodes": self._value(network.nodes),
            "probe": self._value(network.probe),
            "provenance": dict(network.provenance),
        }

    def _value(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self._index(value)
        if isinstance(value, tuple):
            return [self._value(item) for item in value]
        if isinstance(value, InverseLeak):
            return [value.n, value.m]
        if is_dataclass(value):
            return self._object(value)
        return str(value) if isinstance(value, StrEnum) else value

    def _object(self, value: Any) -> dict[str, Any]:
        entries = {"kind": value.kind} if hasattr(value, "kind") else {}
        for name, (item, _) in stored_fields(type(value)).items():
            content = getattr(value, name)
            if not item.metadata.get("omitted") or content != item.default:
                entries[name] = self._value(content)
        return entries

    def _index(self, array: np.ndarray) -> int:
        names = ("u1", "u2") if array.dtype.kind == "u" else ("i1", "i2", "i4", "i8")
        low, high = int(array.min()), int(array.max())
        for name in names:
            kind = np.iinfo(name)
            if kind.min <= low and high <= kind.max:
                break
        self.arrays.append(np.ascontiguousarray(array, dtype=f"<{name}"))
        return len(self.arrays) - 1


class Reader:
    """Builds objects from a checked document and its arrays."""

    def __init__(self, arrays: list[np.ndarray]) -> None:
        self._left: list[np.ndarray | None] = list(arrays)

    def network(self, document: Any) -> Network:
        """The network of a :data:`hwgen.artefact.schema.Document`; not verified yet.

        Raises :class:`.ArtefactError` unless the document refers to each array exactly once: a
        network takes no more memory than its arrays, in the types of the network.
        """
        network = Network(
            name=document.name,
            input=self._object(Input, document.input),
            nodes=tuple(self._value(node, Node) for node in document.nodes),
            provenance=document.provenance,
            probe=None if document.probe is None else self._take(document.probe),
        )
        left = [index for index, array in enumerate(self._left) if array is not None]
        if left:
            raise ArtefactError(f"lists array {left[0]}, but does not refer to it")
        return network

    def _take(self, index: int) -> np.ndarray:
        if index >= len(self._left):
            raise ArtefactError(f"refers to array {index}, which it does not list")
        array, self._left[index] = self._left[index], None
        if array is None:
            raise ArtefactError(f"refers to array {index} twice")
        return array

    def _object(self, cls: type, model: BaseModel) -> Any:
        return cls(
            **{
                name: self._value(getattr(model, name), hint, item.metadata.get("dtype", "int64"))
                for name, (item, hint) in stored_fields(cls).items()
                if name in model.model_fields_set
            }
        )

    def _value(self, value: Any, hint: Any, dtype: str = "int64") -> Any:
        if isinstance(value, BaseModel):
            return self._object(classes_of(hint)[value.kind], value)  # type: ignore[attr-defined]
        if isinstance(value, list):
            if hint is InverseLeak:
                return InverseLeak(n=value[0], m=value[1])
            return tuple(self._value(item, get_args(hint)[0]) for item in value)
        if value is not None and np.ndarray in (hint, *get_args(hint)):
            return self._take(value).astype(dtype)
        return value
