"""Method "feedback": thresholds searched by the output of the network (Shang, Li, You).

Hard reset, rate code, Poisson input (:mod:`hwgen.conversion.calibration.input_decoding`). In every
timestep::

    V(t) = max(V(t−1) + L + X(t), V_min),   X(t) = Σ A(t)·K                          (Eq. 1, 2)
    a spike, and V(t) = 0, if V(t) ≥ p

with the weights K of the CNN, adjusted by :func:`hwgen.conversion.adjust`: no biases, ReLU, average
pools. V_min = 0 and L = 0 unless ``floor`` and ``drive`` say otherwise, in shares of p.
Each layer of neurons (an average pool is one, too) has one threshold p_i. The search maximises::

    R = mean over images of  spikes of the right output neuron / spikes of all of them

    n ← search_step
    repeat, at most search_rounds times:                                    (the paper's Algorithm)
        for each layer i, from the first to the last:
            p_i ← p_i·2^n     if that makes R larger and C_i not smaller,
            else p_i·2^−n     if that does,
            else p_i          unchanged
        n ← n/2               where no threshold changed; stop below search_stop

C_i is the paper's other condition, that a layer's maps are bright where the CNN's are: the
correlation of its spike counts with the activations of the CNN. R alone would sharpen the output
without limit, and lose accuracy.

The paper leaves details open. Here a step multiplies, as the thresholds of its Table I span two
orders of magnitude; n is halved, its "binary search"; and p_i decreases only if that is better. The
search starts from thresholds at which the largest activation spikes in every step (``thresholds``,
``threshold_scale``). The readout does not fire, so its positive membranes V count as spikes:
R = max(V_c, 0) / Σ_k max(V_k, 0).

Weights do not change: with a threshold f times as high, all later spikes represent f times as much,
so biases in later layers become B / f.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hwgen.conversion.calibration.float_run import run_nodes
from hwgen.conversion.calibration.images import spread
from hwgen.conversion.choices import DecoderKind
from hwgen.conversion.converted import Converted, Progress
from hwgen.conversion.options import Options
from hwgen.conversion.provenance import FeedbackFigures, Scales
from hwgen.conversion.quantisation.neuron import moved
from hwgen.errors import ConversionError, DataError
from hwgen.golden import labels_outside
from hwgen.golden.trials import Trials
from hwgen.network import Layer, Network, Node, ThresholdNeuron, decide

MAX_OCTAVES = 16.0  # thresholds stay within a factor of 2^±16 of their start


def right_share(logits: np.ndarray, labels: np.ndarray) -> float:
    """R of ``logits`` (images, classes) and ``labels`` (images,); 0 for an image without spikes."""
    spikes = np.maximum(logits, 0).astype(np.float64)
    right = spikes[np.arange(len(labels)), labels]
    return float(np.mean(right / np.maximum(spikes.sum(axis=1), 1.0)))


def tune(
    converted: Converted,
    images: np.ndarray,
    labels: np.ndarray,
    options: Options,
    progress: Progress,
) -> Converted:
    """Search the thresholds of ``converted``, or raise :class:`.ConversionError`.

    It must be a chain of layers, and its logits must be membranes.
    """
    if options.decoder is not DecoderKind.MEMBRANE:
        raise ConversionError(
            f"method 'feedback' compares membranes of the last layer with the CNN's logits, so the "
            f"decoder must be 'membrane', not {options.decoder!r}"
        )
    if (count := converted.network().logits) == 1:
        raise ConversionError(
            "method 'feedback' compares the spikes of the right class with those of the others, "
            "but the model has a single logit; give it one logit per class, or use method "
            "'threshold_balancing'"
        )
    if (outside := labels_outside(labels, count)) is not None:
        raise DataError(f"method 'feedback': {outside}")
    for node in converted.nodes:
        if isinstance(node, Layer) and len(node.projections) > 1:
            raise ConversionError(
                f"{node.name}: method 'feedback' moves the threshold of one layer at a time, but "
                f"branches meet here, whose spikes must have the same value; use method "
                f"'threshold_balancing' for a network with branches"
            )
    chosen = spread(len(images), options.search_images)
    search = _Search(converted, images[chosen], labels[chosen], options)
    search.run(progress)
    return search.result()


@dataclass(frozen=True, kw_only=True)
class _Best:
    """Octaves that each threshold has moved, and the R, accuracy and C that it gives."""

    octaves: dict[str, float]
    share: float
    accuracy: float
    consistency: dict[str, float]


class _Search:
    def __init__(
        self, converted: Converted, images: np.ndarray, labels: np.ndarray, options: Options
    ) -> None:
        self.start, self.images, self.labels = converted, images, labels
        self.options, self.rounds = options, 0
        self.trials = Trials(images)
        self.tried: set[tuple[float, ...]] = set()
        self.nodes = converted.nodes  # of the best network
        layers = converted.network().layers
        self.names = [layer.name for layer in layers if not layer.neuron.is_decoder]
        activations = run_nodes(converted.graph, images)
        self.wanted = {name: activations[name] for name in self.names}
        self.before = self.best = self._try(dict.fromkeys(self.names, 0.0))[1]
        self.trials.keep()

    def run(self, progress: Progress) -> None:
        """Run the search; ``progress`` gets each layer in work."""
        step = self.options.search_step
        while step >= self.options.search_stop and self.rounds < self.options.search_rounds:
            self.rounds += 1
            before = self.best
            for done, name in enumerate(self.names):
                text = f"{name}, round {self.rounds}, {100 * self.best.share:.2f} % right spikes"
                progress(done, len(self.names), text)
                if not self._better(name, step):
                    self._better(name, -step)
            if self.best is before:
                step /= 2
        progress(len(self.names), len(self.names), "")

    def _better(self, name: str, step: float) -> bool:
        """Multiply the threshold of ``name`` by 2^step if that makes R larger."""
        octaves = self.best.octaves | {name: self.best.octaves[name] + step}
        if tuple(octaves.values()) in self.tried or abs(octaves[name]) > MAX_OCTAVES:
            return False  # it was not better than the best at that time
        network, found = self._try(octaves)
        worse = found.consistency[name] < self.best.consistency[name]
        if found.share <= self.best.share or worse:
            return False
        self.best, self.nodes = found, network.nodes
        self.trials.keep()
        return True

    def _try(self, octaves: dict[str, float]) -> tuple[Network, _Best]:
        self.tried.add(tuple(octaves.values()))
        network = self._network(octaves)
        logits = self.trials.logits(network)
        consistency = {
            name: correlation(self.trials.values(name), wanted)
            for name, wanted in self.wanted.items()
        }
        return network, _Best(
            octaves=octaves,
            share=right_share(logits, self.labels),
            accuracy=100 * float((decide(logits) == self.labels).mean()),
            consistency=consistency,
        )

    def _network(self, octaves: Mapping[str, float]) -> Network:
        """The network with these thresholds; it shares unchanged layers with the best one."""
        nodes: list[Node] = []
        upstream = 0.0
        for first, last in zip(self.start.nodes, self.nodes):
            if isinstance(first, Layer):
                own = octaves.get(first.name, 0.0)
                node = moved(first, own, upstream, self.options)
                upstream += own
                nodes.append(last if _same(node, last) else node)
            else:
                nodes.append(first)
        return Network(name="search", input=self.start.input, nodes=tuple(nodes))

    def result(self) -> Converted:
        figures, source = self.start.figures, self.start.input
        scales: Scales = {}
        thresholds: dict[str, float] = {}
        upstream = 0.0
        given = np.mean(figures.input_scale) / (1 << source.pixel_bits)
        for name in self.names:
            upstream += self.best.octaves[name]
            scale = np.asarray(figures.output_scales[name]) * 2.0**upstream
            scales[name] = scale.tolist()
            thresholds[name] = float(np.mean(scale)) / float(given)
            given = np.mean(scale)
        found = FeedbackFigures(
            images=len(self.images),
            rounds=self.rounds,
            networks_tried=len(self.tried),
            right_spikes_before=self.before.share,
            right_spikes=self.best.share,
            accuracy_before=self.before.accuracy,
            accuracy=self.best.accuracy,
            octaves=self.best.octaves,
            thresholds=thresholds,
            consistency=self.best.consistency,
        )
        assert figures.logit_scale is not None  # of membranes
        logit = figures.logit_scale * 2.0**upstream
        figures = replace(figures, output_scales=scales, logit_scale=logit, feedback=found)
        return replace(self.start, nodes=self.nodes, figures=figures)


def correlation(counts: np.ndarray, wanted: np.ndarray) -> float:
    """C of spike counts and activations, arrays of one shape; 0 if either is constant."""
    one, other = (values.astype(np.float64).ravel() for values in (counts, wanted))
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _same(layer: Layer, other: Node) -> bool:
    """Whether two forms of one layer have the same bias and threshold."""
    if not isinstance(other, Layer) or not np.array_equal(layer.bias, other.bias):
        return False
    one, two = layer.neuron, other.neuron
    if not isinstance(one, ThresholdNeuron) or not isinstance(two, ThresholdNeuron):
        return True
    return np.array_equal(one.threshold, two.threshold)
