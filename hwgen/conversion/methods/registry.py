"""The methods by name. A new one is a new file, with its equations, and a line here."""

from __future__ import annotations

from hwgen.conversion.methods import (
    ecc,
    feedback,
    rmp,
    spikeconverter,
    threshold_balancing,
    threshold_relu,
    ttfs,
    weight_norm,
)
from hwgen.conversion.methods.method import Method

METHODS: dict[str, Method] = {
    "spikeconverter": spikeconverter.METHOD,
    "ecc": ecc.METHOD,
    "threshold_relu": threshold_relu.METHOD,
    "ttfs": ttfs.METHOD,
    "weight_norm": weight_norm.METHOD,
    "threshold_balancing": threshold_balancing.METHOD,
    "rmp": rmp.METHOD,
    "feedback": feedback.METHOD,
}
