"""The golden model in NumPy: the exact spikes, membranes and logits of a network.

Two independent forms give the same spikes: the closed form (one exact product and one quotient per
layer) and the step-by-step form (the neurons of :mod:`hwgen.network` as their docstrings define
them). :class:`hwgen.golden.incremental.IncrementalRun` runs one node after the other, for a
conversion that makes a network layer by layer.
"""

from hwgen.golden.costs import power_estimate, synapse_count
from hwgen.golden.result import ClassAccuracy, Result, labels_outside, per_class
from hwgen.golden.runner import classify, run

__all__ = [
    "ClassAccuracy",
    "Result",
    "classify",
    "labels_outside",
    "per_class",
    "power_estimate",
    "run",
    "synapse_count",
]
