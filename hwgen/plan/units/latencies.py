"""Latencies and FIFO depths of the RTL, shared with the cycle model.

Latencies are in cycles. Those of memories with a feedback (membranes, pools) run from the issue of
a word to the first issue that reads the result.
"""

from __future__ import annotations

MEMBRANE = 4
"""Two-phase membranes; one more where slopes or a constant current are added up first."""
INVERSE_LEAK = 7
"""Membranes that grow by a factor below 2."""
INTEGRATOR = 5
"""Single-phase membranes."""
POOL = 3
"""Candidates of a max-pool."""
SOFTMAX_TERM = 5
"""From the read of a membrane to the write of its softmax term."""
CHUNK = 5
"""From the read of a chunk in the window buffer to its arrival in the chunk queue."""
SPIKE_INDEX = 3
"""From the step that finds a spike in a chunk to its index in the scanner's FIFO."""

CREDIT_FIFO_DEPTH = 15
"""Slots of the FIFO at the end of a unit's pipeline."""
CHUNK_QUEUE_DEPTH = 16
"""Slots of a chunk queue."""
CHUNKS_IN_FLIGHT = 5
"""Chunks that may still arrive after a chunk queue has reported that it is full."""


def synapse_array(scanners: int) -> int:
    """From a window's last spike indices to its currents."""
    return 4 + (scanners - 1).bit_length()
