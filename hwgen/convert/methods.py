"""The methods: functions (float graph, calibration images, options, progress) → integers.

One file each, whose docstring has the equations. A new method is a new file and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.convert.graph import FloatGraph
from hwgen.convert.options import Converted, Options, Progress
from hwgen.convert.spikeconverter import spikeconverter

Method = Callable[[FloatGraph, np.ndarray, Options, Progress], Converted]

METHODS: dict[str, Method] = {"spikeconverter": spikeconverter}
