"""Method "threshold_relu": Deng and Gu, ICLR 2021, as used in the thReLU report (Chang et al.).

Single-phase soft reset, rate code. The model is trained with a clipped ReLU, min(max(x, 0), y_th);
the threshold of a layer is its largest activation, at most y_th, and the shift V_thr / 2T of every
timestep halves the expected loss of rounding down. The shifts of all T timesteps, V_thr / 2, come
with the membrane at the start, where integers hold them exactly: a current that stays I then gives
⌊T·I / V_thr + 1/2⌋ spikes, 0 … T, either way.
"""

from hwgen.conversion.methods.method import Method
from hwgen.conversion.quantisation.layerwise import layerwise

METHOD = Method(
    convert=layerwise,
    paper="Deng and Gu, ICLR 2021; thReLU report (Chang et al.)",
    neurons=("if",),
    needs="a model trained with clipped ReLU; calibration images",
    defaults={"thresholds": "maximum"},
)
