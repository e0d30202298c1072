"""Result of ``hwgen evaluate``, as ``evaluation.json`` holds it."""

from __future__ import annotations

from hwgen.artefact.report_file import ReportFile
from hwgen.validation import Count, Digest, Figure, Percent


class EvaluationFile(ReportFile):
    """Figures of a run of the golden model, in the folder of its network or build.

    Parameters
    ----------
    network_hash : str
        Content hash of the network that was run.
    data : str
        Name of the file or folder of images.
    images : int
        Number of images that were run.
    accuracy, float_accuracy : float or None
        In per cent; None without labels, and without a float model.
    float_images : "same", "calibration" or None
        Images of the float model's accuracy.
    spikes_per_neuron, synaptic_operations : float
        Means per image.
    macs : int
        Multiply-adds of the CNN for one image.
    """

    FILE = "evaluation.json"
    COMMAND = "evaluate"
    LIMIT = 1 << 16

    network_hash: Digest
    data: str
    images: Count
    accuracy: Percent | None
    float_accuracy: Percent | None
    float_images: str | None
    spikes_per_neuron: Figure
    synaptic_operations: Figure
    macs: Count
