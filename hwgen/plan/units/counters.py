"""Kinds of hardware counters."""

from __future__ import annotations

from enum import StrEnum


class CounterKind(StrEnum):
    """What a counter counts; its unit is the core, a stream or a layer."""

    CYCLES = "cycles"
    """Core: cycles since reset."""
    SAMPLES = "samples"
    """Core: results sent."""
    SPIKES = "spikes"
    """Stream: spikes sent."""
    BLOCKED = "blocked"
    """Stream: cycles in which a word waits for the next layer."""
    BUSY = "busy"
    """Layer: cycles in which the first scanner holds a chunk."""
    STALL = "stall"
    """Layer: cycles in which the last spikes of a window wait for the membrane unit."""
