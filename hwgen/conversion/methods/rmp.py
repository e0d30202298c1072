"""Method "rmp": residual membrane potential neurons (Han, Srinivasan, Roy, CVPR 2020).

Single-phase soft reset, rate code. Thresholds are those of threshold balancing, the largest current
of a timestep, times 0.8 (or 0.9, --threshold-scale): what a soft reset leaves over is not lost, so
that thresholds may be lower and rates higher.
"""

from hwgen.conversion.methods.method import Method
from hwgen.conversion.quantisation.layerwise import layerwise

METHOD = Method(
    convert=layerwise,
    paper="RMP-SNN (Han, Srinivasan, Roy, CVPR 2020)",
    neurons=("if",),
    needs="calibration images",
    defaults={"thresholds": "current", "threshold_scale": 0.8, "eta": 0.0},
)
