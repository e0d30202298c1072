"""A table of a network's layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.network.network import Network
from hwgen.network.neuron import ThresholdNeuron


@dataclass(frozen=True, kw_only=True)
class LayerSummary:
    """One row of a :class:`Summary`; a layer that gives logits has no timesteps."""

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
        for row in self.layers:
            timesteps, weights = str(row.timesteps or ""), f"{row.weights:,}"
            thresholds = row.thresholds or ""
            rows.append((row.layer, row.shape, row.neuron, timesteps, weights, thresholds))
        layer, shape, neuron, steps, weight, _ = (max(map(len, cells)) for cells in zip(*rows))
        return "\n".join(
            f"{a:{layer}}  {b:{shape}}  {c:{neuron}}  {d:>{steps}}  {e:>{weight}}  {f}".rstrip()
            for a, b, c, d, e, f in rows
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
