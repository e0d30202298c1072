"""Remedies for operators without a spiking counterpart."""

from __future__ import annotations

_ACTIVATION = "replace it by ReLU, ReLU6 or clamp(0, c) and train again"
_NORM = "replace it by BatchNorm, which is fused into the weights, and train again"
_AXES = "keep images as (samples, channels, height, width) and maps in that order"
_ONE = "use its 2-D form on (samples, channels, height, width)"

_SHARED = (
    (
        _ACTIVATION,
        "gelu silu sigmoid tanh elu selu celu leaky_relu prelu softplus hardswish hardsigmoid "
        "mish log_sigmoid logsigmoid softsign glu rrelu hardshrink softshrink sin cos exp abs "
        "sqrt pow erf",
    ),
    (
        _NORM,
        "layer_norm native_layer_norm group_norm native_group_norm instance_norm rms_norm "
        "local_response_norm",
    ),
    (_AXES, "permute transpose t movedim swapaxes channel_shuffle pixel_shuffle roll flip"),
    (
        _ONE,
        "conv1d conv3d max_pool1d max_pool3d avg_pool1d avg_pool3d adaptive_avg_pool1d "
        "adaptive_max_pool1d",
    ),
    (
        "products of two activations have no spiking counterpart; use Linear or Conv2d, whose "
        "weights are constant",
        "matmul bmm mm addmm einsum scaled_dot_product_attention",
    ),
    (
        "leave out what imitates rounding, and train on; hwgen rounds weights and activations "
        "itself",
        "fake_quantize_per_tensor_affine fake_quantize_per_channel_affine "
        "fake_quantize_per_tensor_affine_cachemask fused_moving_avg_obs_fake_quant "
        "fused_moving_avg_obs_fq_helper floor round ceil trunc sign",
    ),
    ("joins of several maps are not supported; use one path", "cat stack"),
    ("train without splitting of maps", "chunk split split_with_sizes unbind narrow"),
    ("recurrent layers are not supported", "lstm gru rnn_tanh rnn_relu"),
)
"""Remedies of several operators, and their names."""

REMEDIES = {
    **{name: remedy for remedy, names in _SHARED for name in names.split()},
    "softmax": "only a softmax at the very end may stay; it does not change the class",
    "conv_transpose2d": "use Conv2d; transposed convolutions are not supported",
    "upsample_nearest2d": "train without upsampling",
    "upsample_bilinear2d": "train without upsampling",
    "sum": "use a mean over height and width, AdaptiveAvgPool2d(1), and train again",
    "select": "train without slicing of maps",
    "index": "train without indexing of maps",
}

DEFAULT = (
    "supported are Conv2d, Linear, BatchNorm, ReLU, ReLU6, clamp(0, c), MaxPool2d, AvgPool2d, "
    "AdaptiveAvgPool2d, Flatten, Dropout, sums of maps and arithmetic with constants"
)


def remedy(operator: str) -> str:
    """Remedy for an operator, by its name without namespace and overload."""
    name = operator.strip("_")
    return REMEDIES.get(name, DEFAULT)
