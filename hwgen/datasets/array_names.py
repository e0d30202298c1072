"""Names that people give to images and labels in ``.npz`` files."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from hwgen.caution import note
from hwgen.datasets.opened import quoted
from hwgen.errors import DataError

_PLAIN = (
    ("images", "labels"), ("x", "y"), ("data", "target"), ("data", "targets"), ("data", "labels"),
    ("data", "label"), ("images", "targets"), ("image", "label"), ("arr_0", "arr_1"),
)  # fmt: skip
_BY_SPLIT = ("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("{}_x", "{}_y"), ("{}_data", "{}_labels")
_SPLITS = ("train", "test")


def choose(path: Path, names: Collection[str], split: str | None) -> tuple[str, str | None]:
    """Names of the arrays of images and, if there is one, of labels; case does not matter.

    Raises :class:`.DataError` if there are none, or several splits and none is chosen.
    """
    known = {name.lower(): name for name in names}
    pairs = [(x, y) for x, y in _PLAIN if x in known]
    if pairs:
        x, y = next((pair for pair in pairs if pair[1] in known), pairs[0])
        return known[x], known.get(y)
    splits = {
        name: (x.format(name), y.format(name))
        for name in _SPLITS
        for x, y in reversed(_BY_SPLIT)
        if x.format(name) in known
    }
    if not splits:
        raise DataError(
            f"{path}: has no array 'images', 'x', 'data' or 'x_train', only {quoted(sorted(names))}"
        )
    if split is None and len(splits) > 1:
        raise DataError(f"{path}: has several splits; choose with split='train' or 'test'")
    if split is not None and split not in splits:
        raise DataError(
            f"{path}: has no arrays of the {split} split, only {quoted(sorted(names))}; store them "
            f"as images and labels"
        )
    x, y = splits[split] if split is not None else next(iter(splits.values()))
    if len(splits) > 1:
        note(f"{path}: {quoted([known[x]])} is taken, of {quoted(sorted(names))}")
    return known[x], known.get(y)
