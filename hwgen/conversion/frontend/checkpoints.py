"""A model's weights among what a training library saved: below a key, behind a prefix, averaged.

No library's keys are known here, except for those of averaged weights. What fits is what holds
every name of the model's state dict behind one prefix.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch.nn.parameter import is_lazy

from hwgen.caution import note
from hwgen.conversion.frontend.pickles import SAVE
from hwgen.conversion.frontend.plain import listing, plain
from hwgen.errors import ConversionError

Tensors = Mapping[str, torch.Tensor]
_DEPTH = 3  # of a state dict below keys
_DOTS = 16  # of a name
_AVERAGED = re.compile(r"(^|[._])(ema|averaged?)([._]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """Tensors by name, below ``key`` of a checkpoint; an empty key is the file itself."""

    key: str
    tensors: Tensors


@dataclass(frozen=True)
class _Fit:
    """A state dict, and the prefix behind which it has ``count`` of the model's names."""

    found: Found
    prefix: str
    count: int

    @property
    def place(self) -> str:
        """``state_dict: model.``, the keys and the prefix, for messages."""
        return ": ".join(plain(part) for part in (self.found.key, self.prefix) if part) or "itself"


def state_dicts(content: object) -> Iterator[Found]:
    """Mappings with tensors in ``content``, down to a few keys, each once."""
    return _below(content, (), set())


def _below(content: object, keys: tuple[str, ...], seen: set[int]) -> Iterator[Found]:
    if not isinstance(content, Mapping) or id(content) in seen:
        return
    seen.add(id(content))
    named = {name: value for name, value in content.items() if isinstance(name, str)}
    tensors = {name: value for name, value in named.items() if isinstance(value, torch.Tensor)}
    if tensors:
        yield Found(".".join(keys), tensors)
    if len(keys) < _DEPTH:
        for name, value in named.items():
            yield from _below(value, (*keys, name), seen)


def choose(candidates: list[Found], expected: Tensors, *, where: str) -> dict[str, torch.Tensor]:
    """The tensors of the one state dict that has all ``expected`` names, by these names.

    Raises :class:`.ConversionError` if none or several fit, unless one of several is averaged.
    """
    fits = [fit for found in candidates for fit in _fits(found, expected)]
    groups = _tied(expected)
    whole = [f for f in fits if f.count >= len(groups) and not _missing(f, groups)]
    if not whole:
        nearest = max(fits, key=lambda fit: fit.count, default=None)
        raise _misfit(nearest or _Fit(_largest(candidates), "", 0), expected, where)
    if len(whole) > 1:  # names alone do not tell
        whole = [fit for fit in whole if not _wrong(fit, expected)] or whole
    chosen = whole[0] if len(whole) == 1 else _averaged(whole, where)
    start = len(chosen.prefix)
    inside = {
        name[start:]: value
        for name, value in chosen.found.tensors.items()
        if name.startswith(chosen.prefix)
    }
    if any(name not in expected for name in inside):
        raise _misfit(chosen, expected, where)
    if outside := [n for n in chosen.found.tensors if not n.startswith(chosen.prefix)]:
        note(
            f"{where}: weights are those behind {plain(chosen.prefix)!r}; "
            f"{listing(outside, shown=3)} left out"
        )
    return inside


def _fits(found: Found, expected: Tensors) -> Iterator[_Fit]:
    """Prefixes behind which a state dict has names of the model."""
    counts: Counter[str] = Counter()
    for name in found.tensors:
        parts = name.split(".", _DOTS)
        for start in range(len(parts)):
            if ".".join(parts[start:]) in expected:
                counts["".join(f"{part}." for part in parts[:start])] += 1
    for prefix, count in counts.items():
        yield _Fit(found, prefix, count)


def _tied(expected: Tensors) -> list[list[str]]:
    """Names of each tensor that the model needs: several of tied weights, none of counts."""
    groups: dict[object, list[str]] = {}
    for name, value in expected.items():
        if not name.endswith("num_batches_tracked"):
            groups.setdefault(_place(value) or name, []).append(name)
    return list(groups.values())


def _missing(fit: _Fit, groups: list[list[str]]) -> list[str]:
    given = fit.found.tensors
    return [names[0] for names in groups if not any(fit.prefix + name in given for name in names)]


def _wrong(fit: _Fit, expected: Tensors) -> list[str]:
    """Names with a shape that is not the model's."""
    given = ((name, fit.found.tensors.get(fit.prefix + name)) for name in expected)
    return [
        f"{name} {tuple(value.shape)} instead of {tuple(expected[name].shape)}"
        for name, value in given
        if value is not None and not is_lazy(expected[name]) and value.shape != expected[name].shape
    ]


def _place(value: torch.Tensor) -> object:
    """Where the numbers lie, equal for tied weights; None for a tensor without numbers."""
    if is_lazy(value) or not value.numel():
        return None
    return value.data_ptr(), tuple(value.shape), value.stride()


def _largest(candidates: list[Found]) -> Found:
    return max(candidates, key=lambda found: len(found.tensors))


def _averaged(whole: list[_Fit], where: str) -> _Fit:
    places = [fit.place for fit in whole]
    averaged = [fit for fit in whole if _AVERAGED.search(f"{fit.found.key}.{fit.prefix}")]
    if len(averaged) != 1:
        raise ConversionError(
            f"{where}: holds weights of this model {len(whole)} times, as "
            f"{listing(places, shown=3)}; save those of one model, by {SAVE}"
        )
    note(f"{where}: holds {listing(places, shown=3)}; taken are the averaged weights, "
         f"{averaged[0].place}")  # fmt: skip
    return averaged[0]


def _misfit(best: _Fit, expected: Tensors, where: str) -> ConversionError:
    names = [n for n in best.found.tensors if n.startswith(best.prefix)]
    extra = [name for name in names if name[len(best.prefix) :] not in expected]
    missing, wrong = _missing(best, _tied(expected)), _wrong(best, expected)
    problems = [
        f"{what} {listing(names, shown=5)}"
        for what, names in (("lacks", missing), ("has unknown", extra), ("has", wrong))
        if names
    ]
    return ConversionError(
        f"{where}: does not fit the model: {'; '.join(problems)}; give the weights of this "
        f"model, named as in its state_dict()"
    )
