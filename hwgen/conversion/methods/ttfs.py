"""Method "ttfs" (López-Randulfe, Reeb, Knoll): at most one spike a neuron, the sooner the more.

A value x of 0 … x_max becomes a spike at t(x) = t_max / x_max·(x_max − x) (Eq. 1), rounded to a
step; x ≤ 0 becomes none. In the silent stage a spike charges the neuron from its step on (Eq. 2):

    u(t_max) = t_max / x_max·Σ_j W_j·x_j                                             (Eq. 3)

In the spiking stage a constant current I_ext = u_th / t_max (Eq. 4) takes u to u_th, so that u_th
sets what the longest time stands for. The largest possible u, Σ W⁺·t_max (Eq. 5), leaves too coarse
a step; u_th is the one with the least root mean square error on calibration data (Fig. 2).
"""

from hwgen.conversion.methods.method import Method
from hwgen.conversion.quantisation.layerwise import layerwise

METHOD = Method(
    convert=layerwise,
    paper="Less than one spike per neuron (López-Randulfe, Reeb, Knoll, 2022)",
    neurons=("ttfs",),
    needs="calibration images",
    defaults={"error": "squared"},
)
