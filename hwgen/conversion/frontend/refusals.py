"""What of a model cannot be converted: one line for each kind of operator, with its places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.conversion.op_graph import Place
from hwgen.errors import ConversionError

_SHOWN = 3  # places of one kind
_NUMBERS = re.compile(r"[\d.]+")


@dataclass(frozen=True)
class Refused:
    """An operator that cannot be converted, with the reason and the remedy."""

    place: Place
    why: str


def refuse(refused: Sequence[Refused]) -> None:
    """Raise one :class:`.ConversionError` that tells of everything ``refused``, if there is any.

    Reasons that differ in their numbers only are one; the first stands for all.
    """
    kinds: dict[tuple[str, str], dict[Place, str]] = {}
    for one in refused:
        kind = kinds.setdefault((one.place.kind, _NUMBERS.sub("#", one.why)), {})
        kind.setdefault(one.place, one.why)
    lines = [_line(places) for places in kinds.values()]
    if len(lines) > 1:
        count = sum(map(len, kinds.values()))
        raise ConversionError(
            "\n  - ".join([f"the model has {count} parts that cannot be converted:", *lines])
        )
    if lines:
        raise ConversionError(lines[0])


def _line(places: dict[Place, str]) -> str:
    first, why = next(iter(places.items()))
    if len(places) == 1:
        return f"{first}: {why}"
    shown = list(dict.fromkeys(place.at for place in places))[:_SHOWN]
    where = ", ".join(shown)
    if more := len(places) - len(shown):
        where += f" and {more} more"
    line = f', the first at "{first.line}"' if first.line else ""
    return f"{first.kind}, {len(places)} times ({where}{line}): {why}"
