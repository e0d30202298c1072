"""Warnings and notes: given at the user's line, recorded, and errors where that is asked for."""

from __future__ import annotations

import warnings

import pytest

from hwgen.caution import note, record, recorded, warn
from hwgen.errors import DataError, HwgenNote, HwgenWarning


@recorded(error=DataError)
def speak(*, strict: bool = False) -> tuple[list[str], list[str]]:
    note("first")
    warn("labels are wrong")
    warn("labels are wrong")
    note("last")
    return record().warnings, record().notes


def test_messages_are_recorded_once_and_given_as_python_warnings() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert speak() == (["labels are wrong"], ["first", "last"])
        assert speak() == (["labels are wrong"], ["first", "last"])  # a call has its own record
    assert [(given.category, str(given.message)) for given in seen] == 2 * [
        (HwgenNote, "first"), (HwgenWarning, "labels are wrong"), (HwgenNote, "last"),
    ]  # fmt: skip


def test_strict_raises_a_warning_and_no_note() -> None:
    with (
        pytest.warns(HwgenNote, match="^first$") as seen,
        pytest.raises(DataError, match="^labels are wrong$"),
    ):
        speak(strict=True)
    assert len(seen) == 1
    with pytest.warns(HwgenWarning, match="later"):
        warn("later")  # outside of the strict call


def test_a_warning_shows_the_line_of_the_caller_of_hwgen() -> None:
    with pytest.warns(HwgenWarning) as seen:
        exec("warn('here')", {"warn": warn, "__name__": "hwgen.inner"})  # noqa: S102
    assert [given.filename for given in seen] == [__file__]


def test_silencing_warnings_leaves_the_record() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert speak() == (["labels are wrong"], ["first", "last"])
