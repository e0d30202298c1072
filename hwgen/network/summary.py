"""A table of a network's layers."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.network.network import Network
from hwgen.network.neuron import Neuron, ThresholdNeuron
from hwgen.network.projections import stored_weights


@dataclass(frozen=True, kw_only=True)
class LayerSummary:
    """One row of a :class:`Summary`; a layer that gives logits has no timesteps.

    ``weights`` counts equal taps of an average's windows once, as the hardware stores them.
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
        for row in self.layers:
            numbers = str(row.timesteps or ""), f"{row.weights:,}", row.thresholds or ""
            rows.append((row.layer, row.shape, row.neuron, *numbers))
        forms = [f"{side}{max(map(len, cells))}" for side, cells in zip("<<<>><", zip(*rows))]
        return "\n".join("  ".join(map(format, row, forms)).rstrip() for row in rows)

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
                weights=sum(stored_weights(p.weights).size for p in layer.projections),
                thresholds=_thresholds(layer.neuron),
            )
            for layer in network.layers
        )
    )


def _thresholds(neuron: Neuron) -> str | None:
    if not isinstance(neuron, ThresholdNeuron):
        return None
    low, high = int(neuron.threshold.min()), int(neuron.threshold.max())
    return f"{low:,}" if low == high else f"{low:,} … {high:,}"
