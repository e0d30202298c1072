"""Method "weight_norm", the "2017-SNN" of ECC's tables: Rueckauer et al., Frontiers 2017.

Single-phase soft reset, rate code. Weights of each layer are scaled by its largest activation, or
by a high percentile of them (--percentile 99.9), so that thresholds are 1 and rates stay below 1:

    W ← λ_{n−1} / λ_n·W,    b ← b / λ_n,    V_thr = 1

No share of the threshold is added (η = 0): spikes are rounded down.
"""

from hwgen.conversion.methods.method import Method
from hwgen.conversion.quantisation.layerwise import layerwise

METHOD = Method(
    convert=layerwise,
    paper="2017-SNN (Rueckauer et al., Frontiers 2017)",
    neurons=("if",),
    needs="calibration images",
    defaults={"thresholds": "maximum", "eta": 0.0},
)
