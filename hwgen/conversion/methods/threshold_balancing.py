"""Method "threshold_balancing": Sengupta et al., Frontiers 2019.

Hard reset, rate code. The threshold of each layer is the largest current that any of its neurons
gets in a timestep, when the layers before it spike on calibration images: V_thr = max Σ W·s[t]. A
neuron then fires in every step at most, and forgets what is left over.
"""

from hwgen.conversion.methods.method import Method
from hwgen.conversion.quantisation.layerwise import layerwise

METHOD = Method(
    convert=layerwise,
    paper="Sengupta et al., Frontiers 2019",
    neurons=("if_hard",),
    needs="calibration images",
    defaults={"thresholds": "current", "eta": 0.0},
)
