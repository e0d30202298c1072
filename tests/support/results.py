"""Comparison of two golden results."""

from __future__ import annotations

import numpy as np

from hwgen.golden import Result


def assert_counts_equal(first: Result, second: Result) -> None:
    """Check that logits, classes, spikes and synaptic operations are equal integers."""
    np.testing.assert_array_equal(first.logits, second.logits)
    np.testing.assert_array_equal(first.classes, second.classes)
    for name in ("spikes", "synaptic_operations"):
        expected, measured = getattr(first, name), getattr(second, name)
        assert list(expected) == list(measured)
        for node in expected:
            np.testing.assert_array_equal(measured[node], expected[node], err_msg=f"{name} {node}")
