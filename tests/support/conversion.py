"""Conversions for tests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import hwgen

convert = partial(hwgen.convert, effort="fast")
"""One pass: tests of a single rule need no comparison of several ways."""

PLAIN: Mapping[str, Any] = {
    "error": "absolute",
    "channel_scales": False,
    "bias_correction": "none",
    "rounding": "nearest",
}
"""One scale per layer and nothing corrected, as in SpikeConverter's paper."""
