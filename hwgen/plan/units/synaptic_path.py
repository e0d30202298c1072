"""A synaptic path: one projection's window buffer, scanners and weight memories."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hwgen.network import Pair
from hwgen.plan.units.geometry import WindowPlan
from hwgen.plan.units.memories import MemoryKind


class PathKind(StrEnum):
    """How the chunks of a window address weights."""

    SPIKES = "spikes"
    """A weight row for each spike."""
    MASKED = "masked"
    """A weight row for each chunk of ``lanes`` bits, each of which enables its own lane: for
    projections that connect channel c to channel c alone."""
    EVERY = "every"
    """All chunks, without weights: for pools."""


@dataclass(frozen=True, kw_only=True)
class SynapticPathPlan:
    """One projection in hardware.

    Parameters
    ----------
    source : str
        Node whose spikes it reads.
    tile : (ty, tx)
        Taps in a tile of the kernel have the same weights, of which one tap's are stored.
    memory : MemoryKind
        Where the weights lie.
    weight_share : float
        Share of the stored weights that are not zero.
    """

    source: str
    kind: PathKind
    window: WindowPlan
    tile: Pair = (1, 1)
    memory: MemoryKind = MemoryKind.AUTO
    weight_bits: int = 1
    weight_share: float = 1.0

    @property
    def is_masked(self) -> bool:
        return self.kind == PathKind.MASKED

    @property
    def weight_depth(self) -> int:
        """Rows of one scanner's weight memory."""
        window = self.window
        chunks = window.rounds * window.window_chunks // (self.tile[0] * self.tile[1])
        match self.kind:
            case PathKind.EVERY:
                return 1
            case PathKind.MASKED:
                return chunks
            case PathKind.SPIKES:
                return chunks * window.slice_width
