"""A table of a network's layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.network.network import Network
from hwgen.network.neuron import ThresholdNeuron


@dataclass(frozen=True, kw_only=True)
class LayerSummary:
    """One row of a :class:`Summary`.

    Parameters
    ----------
    layer : str
    shape : str
        channels×height×width.
    neuron : str
        Class of the neuron.
    timesteps : int or None
        Length of the trains that it fires; None for the last layer, which gives logits.
    weights : int
        Stored weights.
    thresholds : str or None
        Their range; None for a layer without thresholds.
    """

    layer: str
    shape: str
    neuron: str
    timesteps: int | None
    weights: int
    thresholds: str | None


@dataclass(frozen=True)
class Summary:
    """The layers of a network; ``str`` and ``repr`` give the table as text."""

    layers: tuple[LayerSummary, ...]

    def __str__(self) -> str:
        rows = [("layer", "shape", "neuron", "T", "weights", "thresholds")]
        rows += [
            (
                row.layer,
                row.shape,
                row.neuron,
                "" if row.timesteps is None else str(row.timesteps),
                f"{row.weights:,}",
                row.thresholds or "",
            )
            for row in self.layers
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if column in (3, 4) else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        )

    __repr__ = __str__


def summarise(network: Network) -> Summary:
    """The rows of ``network.summary()``."""
    return Summary(
        tuple(
            LayerSummary(
                layer=layer.name,
                shape="×".join(map(str, network.train_types[layer.name].shape)),
                neuron=type(layer.neuron).__name__,
                timesteps=None if layer.neuron.is_decoder else layer.neuron.timesteps,
                weights=sum(projection.weights.size for projection in layer.projections),
                thresholds=(
                    _span(layer.neuron.threshold)
                    if isinstance(layer.neuron, ThresholdNeuron)
                    else None
                ),
            )
            for layer in network.layers
        )
    )


def _span(values: np.ndarray) -> str:
    low, high = int(values.min()), int(values.max())
    return f"{low:,}" if low == high else f"{low:,} … {high:,}"
