"""Conversions for tests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

import hwgen
from hwgen.conversion.calibration.distillation import Lessons

convert = partial(hwgen.convert, effort="fast")
"""One pass: tests of a single rule need no comparison of several ways."""

PLAIN: Mapping[str, Any] = {
    "error": "absolute",
    "channel_scales": False,
    "bias_correction": "none",
    "rounding": "nearest",
}
"""One scale per layer and nothing corrected, as in SpikeConverter's paper."""


def keep_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what fine-tuning made, though it is no better on images that it has not seen."""
    monkeypatch.setattr(Lessons, "better", lambda *_: (True, "kept"))
