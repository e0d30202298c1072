"""The methods: functions (float graph, calibration images, options, progress) → integers.

One file each, whose docstring has the equations. A new method is a new file and an entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hwgen.convert.graph import FloatGraph
from hwgen.convert.options import Converted, Options, Progress
from hwgen.convert.spikeconverter import spikeconverter
from hwgen.convert.ttfs import ttfs


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way from a float network to a spiking one.

    Parameters
    ----------
    convert : function
    paper : str
    neurons : tuple of str
        Names in :data:`hwgen.convert.NEURONS` that it knows, the usual one first.
    needs : str
        What it is given besides the trained model.
    defaults : mapping
        Options that differ from those of :class:`hwgen.convert.Options`.
    """

    convert: Callable[[FloatGraph, np.ndarray, Options, Progress], Converted]
    paper: str
    neurons: tuple[str, ...]
    needs: str
    defaults: Mapping[str, Any] = field(default_factory=dict)


METHODS: dict[str, Method] = {
    "spikeconverter": Method(
        convert=spikeconverter,
        paper="SpikeConverter (Liu et al., AAAI 2022)",
        neurons=("ilif", "if2", "if"),
        needs="calibration images",
    ),
    "ttfs": Method(
        convert=ttfs,
        paper="Less than one spike per neuron (López-Randulfe, Reeb, Knoll, 2022)",
        neurons=("ttfs",),
        needs="calibration images",
        defaults={"error": "squared"},
    ),
}
