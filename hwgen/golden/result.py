"""The result of a run of the golden model, and its accuracy."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from hwgen.datasets.labels import as_labels
from hwgen.errors import DataError
from hwgen.network import class_count
from hwgen.suggest import require_known


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """Spikes and logits of N images; maps of one node have shape (channels, height, width).

    Parameters
    ----------
    classes : int64 array, shape (N,)
        Arg-max of the logits; the lowest index wins a tie. Of a single logit: 1 where it is
        positive, 0 elsewhere.
    logits : int64 array, shape (N, logits)
        Membranes of the readout in units of 2^−frac_bits, or counts of a spiking softmax.
    logit_scale : float or None
        Real value of one unit of the logits, from the network's provenance.
    spikes : node → int64 array, shape (N,)
        Spikes that the node sends: the input, every layer but the last, pools and flattens.
    neurons : node → int
        Neurons, or pixels, of the same nodes.
    synaptic_operations : layer → int64 array, shape (N,)
        Additions that spikes trigger in the layer (SpikeConverter, Eq. 14; ECC, Eq. 14).
    macs : layer → int
        Multiply-adds of the same layer in a CNN, for one image.
    values : node → int32 array, shape (N, channels, height, width)
        q of the trains (:class:`hwgen.network.Code`). With ``trains=True`` only, as the next two.
    trains : node → uint8 array, shape (N, T, channels, height, width)
    membranes : layer → int64 array, shape (N, channels, height, width)
        V when Phase I closes, before the clamp, in units of 2^−threshold_frac_bits; the logits of
        a readout; the membranes after the last step of a single-phase neuron or spiking softmax.
    """

    classes: np.ndarray
    logits: np.ndarray
    spikes: dict[str, np.ndarray]
    neurons: dict[str, int]
    synaptic_operations: dict[str, np.ndarray]
    macs: dict[str, int]
    values: dict[str, np.ndarray] = field(default_factory=dict)
    trains: dict[str, np.ndarray] = field(default_factory=dict)
    membranes: dict[str, np.ndarray] = field(default_factory=dict)
    logit_scale: float | None = None

    def __len__(self) -> int:
        return len(self.classes)

    def __repr__(self) -> str:
        mean = self.spikes_per_neuron()
        return f"<Result: {len(self)} samples, {mean:.2f} spikes per neuron and sample>"

    @property
    def real_logits(self) -> np.ndarray:
        """Logits in the float model's units, float64 (N, logits): its outputs, for a regression.

        Raises :class:`.DataError` for a network whose provenance has no ``logit_scale``.
        """
        if self.logit_scale is None:
            raise DataError(
                "the network's provenance has no logit_scale, the real value of one unit of its "
                "logits; convert the model with hwgen.convert and a decoder other than 'softmax'"
            )
        return self.logits * self.logit_scale

    def accuracy(self, labels: np.ndarray | None) -> float:
        """Correct classes, in per cent of the samples.

        Raises :class:`.DataError` unless ``labels``, what :func:`hwgen.datasets.as_labels` takes,
        holds one class of the network per sample; a :class:`hwgen.datasets.Dataset` without labels
        has None.
        """
        if labels is None:
            raise DataError("accuracy needs labels, and the data has none")
        rows = per_class(self.classes, labels, count=class_count(self.logits.shape[1]))
        return 100 * sum(row.correct for row in rows) / len(self)

    def spikes_per_neuron(self, node: str | None = None) -> float:
        """Mean spikes per neuron and sample: of ``node``, or of all layers that fire.

        Raises :class:`.DataError` if there is no such node.
        """
        names = [name for name in self.macs if name in self.spikes]
        if node is not None:
            require_known("node", node, self.spikes, error=DataError)
            names = [node]
        spikes = sum(float(self.spikes[name].mean()) for name in names)
        return spikes / max(1, sum(self.neurons[name] for name in names))


def join(parts: list[Result]) -> Result:
    """The result of all samples, from those of one batch after another."""

    def joined(values: list[Any]) -> Any:
        match values[0]:
            case np.ndarray():
                return np.concatenate(values)
            case dict() as first:
                return {node: joined([value[node] for value in values]) for node in first}
        return values[0]  # the same for every sample

    names = [item.name for item in fields(Result)]
    return Result(**{name: joined([getattr(part, name) for part in parts]) for name in names})


@dataclass(frozen=True, kw_only=True)
class ClassAccuracy:
    """Accuracy of one class: of its ``images`` images, ``correct`` were classified correctly."""

    label: int
    images: int
    correct: int

    @property
    def accuracy(self) -> float | None:
        """In per cent; None without an image of the class."""
        return 100 * self.correct / self.images if self.images else None


def labels_outside(labels: np.ndarray, count: int) -> str | None:
    """Message about integer ``labels`` that are not all classes 0 … ``count`` − 1, or None."""
    if not labels.size or 0 <= int(labels.min()) <= int(labels.max()) < count:
        return None
    return (
        f"labels reach from {labels.min()} to {labels.max()}, but the network has the classes "
        f"0 … {count - 1}; give data of the same classes"
    )


def per_class(classes: np.ndarray, labels: np.ndarray, *, count: int) -> tuple[ClassAccuracy, ...]:
    """The accuracy of each class 0 … ``count`` − 1 (feedback thresholds, Table II).

    ``classes`` are those that the network found and ``labels`` the correct ones, what
    :func:`hwgen.datasets.as_labels` takes; ``count`` is the number of classes of the network.
    Raises :class:`.DataError` where there is not one label per image, or a label is not a class of
    the network.
    """
    labels = as_labels(labels, len(classes), where="accuracy")
    if (outside := labels_outside(labels, count)) is not None:
        raise DataError(outside)
    images = np.bincount(labels, minlength=count)
    correct = np.bincount(labels[classes == labels], minlength=count)
    return tuple(
        ClassAccuracy(label=label, images=int(images[label]), correct=int(correct[label]))
        for label in range(count)
    )
