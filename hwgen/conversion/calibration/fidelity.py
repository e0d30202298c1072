"""How close a converted network is to its float model, without labels.

Values of each layer, λ·(q − z), are compared with the float model's on images that calibration has
not seen, as a signal-to-error ratio::

    10·log10(Σ x² / Σ (x − x̂)²)  dB

Logits are taken without their mean over the classes, which moves no class, and in the unit that
fits best, as some decoders have none. Error grows along the network; the layer that adds most is
named if the two models disagree often.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwgen.caution import warn
from hwgen.conversion.calibration.float_run import run_nodes
from hwgen.conversion.calibration.input_decoding import counts_of
from hwgen.conversion.calibration.levels import Levels
from hwgen.conversion.converted import Converted
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.provenance import Fidelity, Figures
from hwgen.golden.trials import Trials
from hwgen.network import InverseLeakyNeuron, Network, decide

LOW_AGREEMENT = 90.0  # in per cent
FEWEST_IMAGES = 20  # of which agreement says something
BATCH = 64  # images whose float values are in memory at once
MAX_RATIO = 200.0  # in dB, for values without an error


def measure(
    converted: Converted, graph: FloatGraph, images: np.ndarray, *, held_out: bool
) -> Fidelity:
    """Fidelity of ``converted`` to ``graph``, the fused float model, on ``images``."""
    network = converted.network()
    powers: dict[str, np.ndarray] = {}  # Σ x² and Σ (x − x̂)²
    floats, spiking = [], []
    fired = [node.name for node in graph.nodes if isinstance(node, Population) and node.fires]
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        wanted = run_nodes(graph, counts_of(batch))
        floats.append(wanted[graph.nodes[-1].name].reshape(len(batch), -1))
        trials = Trials(batch)
        spiking.append(trials.logits(network))
        for name in fired:
            found = _real_values(trials.values(name), network, name, converted.figures)
            error = np.square(wanted[name] - found, dtype=np.float64).sum()
            signal = np.square(wanted[name], dtype=np.float64).sum()
            powers[name] = powers.get(name, np.zeros(2)) + (signal, error)
    model, network_logits = np.concatenate(floats), np.concatenate(spiking)
    return Fidelity(
        images=len(images),
        held_out=held_out,
        agreement=100 * float((decide(model) == decide(network_logits)).mean()),
        signal_to_error=_logit_ratio(model, network_logits),
        layers={name: _decibels(*power) for name, power in powers.items() if power[0] > 0},
    )


def check_fidelity(fidelity: Fidelity, graph: FloatGraph) -> None:
    """Warn if the network disagrees often with ``graph``, and name the layer to look at."""
    if fidelity.agreement >= LOW_AGREEMENT or fidelity.images < FEWEST_IMAGES:
        return
    name = weakest(fidelity, graph)
    remedy = "give the network more timesteps or more weight bits"
    if name is not None:
        remedy = (
            f"layer {name!r} adds most error: give it more timesteps, or more weight bits to all"
        )
    warn(f"the conversion is poor: {fidelity.line()}; {remedy}")


def weakest(fidelity: Fidelity, graph: FloatGraph) -> str | None:
    """The layer that adds most error, as a share of its values; None if all are silent.

    Error before a layer is the largest of those of its sources.
    """
    shares = {name: 10 ** (-ratio / 10) for name, ratio in fidelity.layers.items()}
    added = {}
    for node in graph.nodes:
        before = max((shares[name] for name in node.sources if name in shares), default=0.0)
        if node.name in shares:
            added[node.name] = shares[node.name] - before
        else:  # pools and flattens move values
            shares[node.name] = before
    return max(added, key=lambda name: added[name], default=None)


def _real_values(codes: np.ndarray, network: Network, name: str, figures: Figures) -> np.ndarray:
    """λ·(q − z) of ``codes`` (images, channels, height, width), float32."""
    scale = _per_channel(figures.output_scales, name)
    zero = _per_channel(figures.zero_points, name)
    neuron = next(layer.neuron for layer in network.layers if layer.name == name)
    values = codes.astype(np.float32)
    if isinstance(neuron, InverseLeakyNeuron) and not neuron.leak.doubles:
        table = Levels.of(neuron.leak, neuron.timesteps).table
        values = table[codes.astype(np.int64)].astype(np.float32)
    return np.asarray(scale * (values - zero), np.float32)


def _per_channel(figure: Mapping[str, float | list[float]], name: str) -> np.ndarray:
    return np.asarray(figure.get(name, 0.0), np.float32).reshape(-1, 1, 1)


def _logit_ratio(wanted: np.ndarray, found: np.ndarray) -> float:
    one, other = wanted.astype(np.float64), found.astype(np.float64)
    if one.shape[1] > 1:
        one, other = (x - x.mean(axis=1, keepdims=True) for x in (one, other))
    power = float(np.square(other).sum())
    unit = float((one * other).sum()) / power if power > 0 else 0.0
    return _decibels(float(np.square(one).sum()), float(np.square(one - unit * other).sum()))


def _decibels(signal: float, error: float) -> float:
    if error <= 0:
        return MAX_RATIO
    return float(np.clip(10 * np.log10(max(signal, 1e-300) / error), -MAX_RATIO, MAX_RATIO))
