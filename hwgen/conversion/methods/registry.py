"""Table of the conversion methods. Needs no torch: ``hwgen methods`` prints it.

All methods share one algorithm, :mod:`hwgen.conversion.quantisation.layerwise`; they differ in the
neuron and in the defaults of options. A new method is an entry here. Only a method with an
algorithm of its own, which tunes the converted network, has a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hwgen.conversion.choices import BiasCorrection, NeuronKind, Rounding, ThresholdRule

if TYPE_CHECKING:
    from hwgen.conversion.converted import Tuner
    from hwgen.conversion.task import Check


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method that turns a float network into a spiking one.

    ``equations`` are those of the paper, and say where hwgen departs from them. ``defaults`` are
    options whose default differs from that of :class:`hwgen.conversion.Options`. ``load_tuner``
    imports and returns the function that tunes the converted network on labelled images,
    ``load_check`` the one that warns of models that the paper does not mean.
    """

    paper: str
    neurons: tuple[NeuronKind, ...]  # that it may use; the first is the default
    needs: str  # besides the trained model
    equations: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    load_tuner: Callable[[], Tuner] | None = None
    load_check: Callable[[], Check] | None = None


_AS_PUBLISHED: Mapping[str, Any] = {
    "channel_scales": False,
    "bias_correction": BiasCorrection.NONE,
    "rounding": Rounding.NEAREST,
}
"""What the papers of single-phase methods do not have."""


def _feedback() -> Tuner:
    from hwgen.conversion.methods.feedback import tune

    return tune


def _without_biases() -> Check:
    from hwgen.conversion.methods.needs import without_biases

    return without_biases


def _clipped() -> Check:
    from hwgen.conversion.methods.needs import clipped

    return clipped


METHODS: Mapping[str, Method] = {
    "spikeconverter": Method(
        paper="SpikeConverter (Liu et al., AAAI 2022)",
        neurons=(NeuronKind.ILIF, NeuronKind.IF2, NeuronKind.IF),
        needs="calibration images",
        equations="""
Soft reset makes the weighted sum of a train the counterpart of an activation (Eq. 8); with the
inverse-leaky neuron's k = 2,

    Σ_i w_i·(Σ_t X_i[t]·k^(T−t)) = V_th·Σ_t Y[t]·k^(T−t)

Accumulation and firing are separate phases (Alg. 1), so both sides are exact up to the last
residue. V_th minimises the expected conversion error E |U_in − U_out| (Eq. 13). The rounding offset
η is ECC's (Eq. 9).""",
    ),
    "ecc": Method(
        paper="ECC (Wu, Yi, Huang, 2021)",
        neurons=(NeuronKind.IF,),
        needs="calibration images",
        defaults={**_AS_PUBLISHED, "thresholds": ThresholdRule.MAXIMUM},
        equations="""
Explicit current control (tool SpKeras): single-phase soft reset, rate code. Current normalisation
(CN, Eq. 7–8) takes the largest activation λ_n of layer n as the value of a spike in every timestep,

    W ← κ·λ_{n−1} / λ_n·W,    b ← κ·b / λ_n,    V_thr ← κ

κ is not an option here: it is the finest value with which the largest weight fits its bits (section
4.4). Thresholding for residual elimination (TRE, Eq. 9) adds η·V_thr over a train; here it is the
initial membrane, which integers hold exactly. Consistency of batch norm (CMB, Eq. 11–12) means
fusing with the framework's own ε, which hwgen always does.""",
    ),
    "threshold_relu": Method(
        paper="Deng and Gu, ICLR 2021; thReLU report (Chang et al.)",
        neurons=(NeuronKind.IF,),
        needs="a model trained with clipped ReLU; calibration images",
        defaults={**_AS_PUBLISHED, "thresholds": ThresholdRule.MAXIMUM},
        load_check=_clipped,
        equations="""
Single-phase soft reset, rate code. The model is trained with a clipped ReLU, min(max(x, 0), y_th).
The threshold of a layer is its largest activation, at most y_th; a shift of V_thr / 2T in every
timestep halves the expected loss of rounding down. Here the sum of all T shifts, V_thr / 2, is the
initial membrane, which integers hold exactly: a constant current I then gives

    ⌊T·I / V_thr + 1/2⌋ spikes, 0 … T""",
    ),
    "ttfs": Method(
        paper="Less than one spike per neuron (López-Randulfe, Reeb, Knoll, 2022)",
        neurons=(NeuronKind.TTFS,),
        needs="calibration images",
        equations="""
At most one spike per neuron; a larger value spikes earlier. A value x of 0 … x_max spikes at
t(x) = t_max / x_max·(x_max − x) (Eq. 1), rounded to a timestep; x ≤ 0 does not spike. In the silent
stage a spike charges the neuron from its timestep on (Eq. 2):

    u(t_max) = t_max / x_max·Σ_j W_j·x_j                                              (Eq. 3)

In the spiking stage a constant current I_ext = u_th / t_max (Eq. 4) takes u to u_th, so u_th sets
the value of the longest time. The largest possible u, Σ W⁺·t_max (Eq. 5), makes timesteps too
coarse; u_th has the smallest root mean square error on calibration data (Fig. 2).""",
    ),
    "weight_norm": Method(
        paper="2017-SNN (Rueckauer et al., Frontiers 2017)",
        neurons=(NeuronKind.IF,),
        needs="calibration images",
        defaults={**_AS_PUBLISHED, "thresholds": ThresholdRule.MAXIMUM, "eta": 0.0},
        equations="""
Single-phase soft reset, rate code ("2017-SNN" in ECC's tables). Each layer's weights are scaled by
its largest activation, or by a high percentile of its activations (--percentile 99.9), so that all
thresholds are 1 and rates stay below 1:

    W ← λ_{n−1} / λ_n·W,    b ← b / λ_n,    V_thr = 1

There is no rounding offset (η = 0): spike counts are rounded down.""",
    ),
    "threshold_balancing": Method(
        paper="Sengupta et al., Frontiers 2019",
        neurons=(NeuronKind.IF_HARD,),
        needs="calibration images",
        defaults={**_AS_PUBLISHED, "thresholds": ThresholdRule.CURRENT, "eta": 0.0},
        equations="""
Hard reset, rate code. The threshold of a layer is the largest current that any of its neurons gets
in a timestep while the layers before it spike on calibration images:

    V_thr = max Σ W·s[t]

A neuron then fires at most once per timestep, and loses the rest of its membrane when it does.""",
    ),
    "rmp": Method(
        paper="RMP-SNN (Han, Srinivasan, Roy, CVPR 2020)",
        neurons=(NeuronKind.IF,),
        needs="calibration images",
        defaults={
            **_AS_PUBLISHED, "thresholds": ThresholdRule.CURRENT, "threshold_scale": 0.8,
            "eta": 0.0,
        },
        equations="""
Residual membrane potential: single-phase soft reset, rate code. Thresholds are those of threshold
balancing, the largest current in a timestep, times 0.8 (or 0.9, --threshold-scale): a soft reset
keeps the residue, so thresholds may be lower and rates higher.""",
    ),
    "feedback": Method(
        paper="Feedback thresholds (Shang, Li, You)",
        neurons=(NeuronKind.IF_HARD, NeuronKind.IF),
        needs="labelled calibration images; a model adjusted by hwgen.conversion.adjust",
        defaults={
            **_AS_PUBLISHED, "thresholds": ThresholdRule.MAXIMUM, "eta": 0.0, "floor": 0.0,
            "input_code": "poisson",
        },
        load_tuner=_feedback,
        load_check=_without_biases,
        equations="""
Hard reset, rate code, Poisson input. A search raises and lowers the threshold of one layer after
another while the share of output spikes that are right grows; hwgen.conversion.methods.feedback has
the equations.""",
    ),
}  # fmt: skip
