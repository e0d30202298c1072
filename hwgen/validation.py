"""Base of the pydantic models of files, and the message for the first rule that a file breaks."""

from __future__ import annotations

import reprlib
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from hwgen.errors import ArtefactError
from hwgen.reading import one_line

T = TypeVar("T")
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxlong = _REPR.maxother = 120
_WITHOUT_VALUE = ("missing", "extra_forbidden", "json_invalid")


class FrozenModel(BaseModel):
    """Immutable model that converts no types and refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def first_problem(error: ValidationError, *, root: str = "the file") -> str:
    """``PLACE: RULE, not VALUE`` of the first problem; ``root`` names the document itself."""
    problem = error.errors(include_url=False)[0]
    place = one_line(".".join(map(str, problem["loc"])) or root, limit=200)
    rule = one_line(problem["msg"])
    if problem["type"] in _WITHOUT_VALUE:
        return f"{place}: {rule}"
    return f"{place}: {rule}, not {_short(problem['input'])}"


def provenance_as(kind: type[T], values: object) -> T:
    """``values`` of a network's provenance as the dataclass or model ``kind``.

    Raises :class:`.ArtefactError`: anybody may write a network and its provenance.
    """
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        raise ArtefactError(
            f"the network's provenance was not written by hwgen: "
            f"{first_problem(error, root='provenance')}; convert the model again"
        ) from error


def _short(value: object, limit: int = 60) -> str:
    text = _REPR.repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
