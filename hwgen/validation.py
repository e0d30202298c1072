"""Base of the pydantic models of files, and the message for the first rule that a file breaks."""

from __future__ import annotations

import reprlib
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hwgen.errors import ArtefactError
from hwgen.reading import one_line

T = TypeVar("T")
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxlong = _REPR.maxother = 120
_WITHOUT_VALUE = ("missing", "extra_forbidden", "json_invalid")

Identifier = Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
"""Name of a Verilog module or port; scripts and templates hold it without quotes."""

Word = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)]
"""Name of a board, part or pin: no path, no option and no second word of a command line."""

Version = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_.+!-]*$", max_length=100)]
"""Version of a package, as PEP 440 and our own have it."""

SourceName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*\.v$", max_length=100)]
"""Name of a Verilog file of a build folder."""

_PART = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
FilePath = Annotated[str, Field(pattern=f"^{_PART}(/{_PART}){{0,3}}$", max_length=200)]
"""Path within a folder: never to a parent, and nothing that needs quotes."""

Width = Annotated[int, Field(ge=1, le=1 << 16)]
"""Bits of a port, a word or a field."""

Size = Annotated[int, Field(ge=1, le=1 << 24)]
"""Channels, rows, columns or timesteps."""

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256, in hexadecimal."""

Count = Annotated[int, Field(ge=0)]
"""Number of something."""

Figure = Annotated[float, Field(ge=0, le=1e18)]
"""Measured or predicted amount; neither infinite nor NaN."""

Percent = Annotated[float, Field(ge=0, le=100)]


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
