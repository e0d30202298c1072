"""The golden model: what every spike, membrane and logit of a network must be, in NumPy.

Two forms give the same spikes: the closed form (one exact product a layer) and the step-by-step
form (the neurons of :mod:`hwgen.network` run as written there).
"""

from hwgen.golden.accuracy import ClassAccuracy, per_class
from hwgen.golden.codes import decode_train, encode_train
from hwgen.golden.power import power_estimate, synapse_count
from hwgen.golden.result import Result
from hwgen.golden.runner import classify, run

__all__ = [
    "ClassAccuracy",
    "Result",
    "classify",
    "decode_train",
    "encode_train",
    "per_class",
    "power_estimate",
    "run",
    "synapse_count",
]
