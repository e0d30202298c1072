"""An input of the synapse array: a stream of spike indices with its weight rows."""

from dataclasses import dataclass

import numpy as np
from amaranth import unsigned
from amaranth.lib import data

from hwgen.plan.units.memories import MemoryKind
from hwgen.plan.units.widths import signed_width
from hwgen.rtl.synapses.scanner import spike_index_layout


def masked_layout(depth: int, lanes: int) -> data.Layout:
    """A weight row, and the lanes that it is added to: those whose bit in ``mask`` is set."""
    return data.StructLayout({"row": range(depth), "mask": unsigned(lanes), "last": 1})


@dataclass(frozen=True, kw_only=True, eq=False)
class SynapseInput:
    """A stream of spike indices, and the weight rows that it selects.

    ``rows`` has the shape (depth, lanes); ``file`` holds them, or the Verilog if it is None. With
    ``masked``, each spike index carries a mask of the lanes that it reaches: identity projections
    and depthwise convolutions, where a spike reaches only the lane of its own channel.
    """

    rows: np.ndarray
    masked: bool = False
    file: str | None = None
    memory: MemoryKind = MemoryKind.AUTO

    @property
    def depth(self) -> int:
        return len(self.rows)

    @property
    def layout(self) -> data.Layout:
        """Payload of the stream."""
        if self.masked:
            return masked_layout(self.depth, self.rows.shape[1])
        return spike_index_layout(self.depth)

    @property
    def weight_bits(self) -> int:
        """Bits that hold every weight."""
        return signed_width(min(0, int(self.rows.min())), max(0, int(self.rows.max())))
