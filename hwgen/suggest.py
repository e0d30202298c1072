"""The one "did you mean": messages for a word that is not among the choices."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from hwgen.errors import HwgenError


def suggest(word: object, choices: Iterable[str]) -> str:
    """``did you mean 'x'?`` for a near miss; otherwise ``available: a, b, c``."""
    names = [str(choice) for choice in choices]  # an Enum shows its values
    close = get_close_matches(str(word), names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"available: {', '.join(names) or 'none'}"


def unknown(kind: str, word: object, choices: Iterable[str]) -> str:
    """Message for a word that does not exist: ``unknown layer 'cnv'; did you mean 'conv'?``"""
    return f"unknown {kind} {word!r}; {suggest(word, choices)}"


def require_known(
    kind: str, word: object, choices: Iterable[str], *, error: type[HwgenError]
) -> None:
    """Raise ``error`` with the message of :func:`unknown` unless ``word`` is one of ``choices``."""
    names = tuple(choices)
    if word not in names:
        raise error(unknown(kind, word, names))
