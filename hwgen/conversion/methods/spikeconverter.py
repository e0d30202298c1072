"""Method "spikeconverter" (Liu et al., AAAI 2022), with the rounding offset of ECC (Wu et al.).

Soft reset makes a train's weighted sum the counterpart of an activation (Eq. 8), with the iLIF
neuron's k = 2:

    Σ_i w_i·(Σ_t X_i[t]·k^(T−t)) = V_th·Σ_t Y[t]·k^(T−t)

Accumulation and firing are separate phases (Alg. 1), so that both sides are exact up to the last
residue, and V_th minimises the expected conversion error E |U_in − U_out| (Eq. 13).
"""

from hwgen.conversion.methods.method import Method
from hwgen.conversion.quantisation.layerwise import layerwise

METHOD = Method(
    convert=layerwise,
    paper="SpikeConverter (Liu et al., AAAI 2022)",
    neurons=("ilif", "if2", "if"),
    needs="calibration images",
)
