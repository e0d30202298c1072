"""Method "ecc": explicit current control (Wu, Yi, Huang; tool SpKeras).

Single-phase soft reset, rate code. Current normalisation (CN, Eq. 7 – 8) takes the largest
activation λ_n of every layer as what a spike in each timestep stands for,

    W ← κ·λ_{n−1} / λ_n·W,    b ← κ·b / λ_n,    V_thr ← κ

Here κ is not a number to choose: the finest one with which the largest weight fits its bits (their
section 4.4). Thresholding for residual elimination (TRE, Eq. 9) adds η·V_thr over a train; it comes
with the membrane at the start, where integers hold it exactly. Consistency of batch norm (CMB, Eq.
11 – 12) is that folding uses the framework's ε, which hwgen always does.
"""

from hwgen.conversion.methods.method import Method
from hwgen.conversion.quantisation.layerwise import layerwise

METHOD = Method(
    convert=layerwise,
    paper="ECC (Wu, Yi, Huang, 2021)",
    neurons=("if",),
    needs="calibration images",
    defaults={"thresholds": "maximum"},
)
