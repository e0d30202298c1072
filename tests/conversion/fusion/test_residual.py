"""Branches, linear populations and global averages: fused, and as integers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen import golden
from hwgen.conversion.float_graph import FloatConv2d, FloatGraph, FloatIdentity, Population
from hwgen.errors import ConversionError
from hwgen.network import Conv2d, Flatten, Identity, InverseLeakyNeuron, Network
from tests.support.conversion import convert
from tests.support.float_models import Forward, assert_fuses, fused, pixels, randomised
from tests.support.residual_cases import RESIDUAL

SHAPE = (3, 12, 12)
# What a code without negative values cannot do.
SIGNED = {
    "sum, then conv", "max-pool of a linear map", "average of a linear map", "pooled branches",
}  # fmt: skip


def model_of(name: str) -> nn.Module:
    """With weights large enough that images differ in every layer."""
    torch.manual_seed(2)
    model = randomised(RESIDUAL[name]())
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data *= 3
    return model


def patches(samples: int = 60, size: int = 12) -> np.ndarray:
    """Images of 4 × 4 blocks, so that averages over the map differ, too."""
    return np.kron(pixels((3, size // 4, size // 4), samples=samples), np.ones((4, 4), np.uint8))


def population(graph: FloatGraph, name: str) -> Population:
    return next(n for n in graph.nodes if isinstance(n, Population) and n.name == name)


def logits(network: Network, images: np.ndarray) -> np.ndarray:
    return golden.run(network, images).logits * network.provenance["logit_scale"]


def floats(model: nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model(torch.from_numpy(images).float() / 255).numpy()


# --- fused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RESIDUAL)
def test_branches_fuse(name):
    assert_fuses(model_of(name))


@pytest.mark.parametrize("name", sorted(set(RESIDUAL) - SIGNED))
def test_branches_fold_without_linear_populations(name):
    graph = assert_fuses(model_of(name), linear=False)
    assert all(node.low == 0 for node in graph.nodes if isinstance(node, Population))


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_a_code_without_negative_values_refuses_linear_populations(name):
    with pytest.raises(ConversionError, match=r"(?s)with no ReLU between.*use neuron 'ilif'"):
        fused(model_of(name), SHAPE, linear=False)


def test_an_addition_is_one_population():
    graph = fused(model_of("identity"), SHAPE)
    names = [node.name for node in graph.nodes]
    assert names == ["stem.0", "a.0", "add", "flatten", "fc"]
    conv, skip = population(graph, "add").projections
    assert isinstance(conv, FloatConv2d)
    assert isinstance(skip, FloatIdentity)
    assert (conv.source, skip.source) == ("a.0", "stem.0")
    assert (skip.weights == 1).all()


def test_a_shortcut_that_pads_channels_is_a_shifted_diagonal():
    graph = fused(model_of("option A"), SHAPE)
    _, skip = population(graph, "add").projections
    assert (skip.source, skip.stride, skip.groups) == ("stem.0", (2, 2), 1)
    np.testing.assert_array_equal(skip.weights[:, :, 0, 0], np.eye(8, 4, -2))


def test_a_strided_shortcut_has_its_batch_norm_in_it():
    model = model_of("strided 1×1")
    graph = fused(model, SHAPE)
    _, skip = population(graph, "add").projections
    norm = model.c[1]
    scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
    expected = (model.c[0].weight * scale.view(-1, 1, 1, 1)).detach().numpy()
    np.testing.assert_allclose(skip.weights, expected, rtol=1e-5)
    assert skip.stride == (2, 2)


def test_a_value_without_relu_that_two_read_is_computed_once():
    graph = fused(model_of("linear bottlenecks"), SHAPE)
    linear = [n.name for n in graph.nodes if isinstance(n, Population) and n.low < 0]
    assert linear == ["p1.0", "add"]
    assert [p.source for p in population(graph, "add").projections] == ["p1.0", "d2.0"]


def test_projections_of_one_source_and_geometry_are_one():
    graph = fused(model_of("several readers"), SHAPE)
    kinds = [type(p).__name__ for p in population(graph, "add_1").projections]
    assert kinds == ["FloatConv2d", "FloatIdentity", "FloatIdentity"]


def test_linear_maps_merge_only_where_that_takes_no_more_weights():
    wide = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 4, 1), nn.ReLU(), nn.Flatten(),
                         nn.Linear(576, 5)).eval()  # fmt: skip
    narrow = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Conv2d(2, 30, 3), nn.ReLU(), nn.Flatten(),
                           nn.Linear(1920, 5)).eval()  # fmt: skip
    populations = [
        [n.name for n in assert_fuses(m).nodes if isinstance(n, Population)] for m in (wide, narrow)
    ]
    assert populations == [["1", "4"], ["0", "1", "4"]]


@pytest.mark.parametrize(
    "average",
    [
        lambda x: F.avg_pool2d(x, 6).flatten(1),
        lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1),
        lambda x: x.mean((2, 3)),
    ],
)
def test_a_global_average_is_in_the_classifier_s_window(average):
    model = Forward(lambda m, x: m.fc(average(F.relu(m.a(x)))), a=nn.Conv2d(3, 4, 3, 2, 1),
                    fc=nn.Linear(4, 5)).eval()  # fmt: skip
    graph = assert_fuses(model)
    assert [node.name for node in graph.nodes] == ["a", "fc"]
    (projection,) = graph.nodes[-1].projections
    weights = model.fc.weight.detach().numpy()[:, :, None, None] / 36
    np.testing.assert_allclose(projection.weights, np.broadcast_to(weights, (5, 4, 6, 6)))
    for options in ({}, {"rounding": "fitted", "weight_bits": 4}):
        network = convert(model, pixels(SHAPE, samples=40), **options)
        assert not any(isinstance(node, Flatten) for node in network)
        integers = network.readout.projections[0].weights
        assert (integers == integers[:, :, :1, :1]).all()
        assert len(np.unique(integers)) > 4


# --- as integers --------------------------------------------------------------------------------


@pytest.mark.parametrize("rounding", ["nearest", "fitted"])
@pytest.mark.parametrize("name", RESIDUAL)
def test_fine_integers_give_the_float_logits(name, rounding):
    model, images = model_of(name), patches()
    network = convert(model, images, timesteps=14, weight_bits=16, rounding=rounding)
    expected = floats(model, images)
    error = np.sqrt(((logits(network, images) - expected) ** 2).mean())
    deep = name == "linear bottlenecks"
    assert error < (2e-2 if deep else 5e-3) * (expected - expected.mean(axis=0)).std()


@pytest.mark.parametrize("channel_scales", [False, True])
def test_a_linear_population_carries_a_zero_point(channel_scales):
    """Its trains represent λ·(q − z), and padding with zeros sends z."""
    torch.manual_seed(0)
    model = Forward(
        lambda m, x: m.fc(F.relu(m.b(m.a(x))).flatten(1)),
        a=nn.Conv2d(2, 3, 3), b=nn.Conv2d(3, 9, 3, padding=1), fc=nn.Linear(324, 4),
    ).eval()  # fmt: skip
    model.a.bias.data = torch.tensor([0.3, -0.2, 0.0])
    images = pixels((2, 8, 8), samples=60)
    network = convert(
        model, images, timesteps=8, weight_bits=12, error="squared", channel_scales=channel_scales
    )
    assert isinstance(network["a"].neuron, InverseLeakyNeuron)
    scale = np.reshape(network.provenance["output_scales"]["a"], (-1, 1, 1))
    zero = np.reshape(network.provenance["zero_points"]["a"], (-1, 1, 1))
    assert ((zero > 2) & (zero < 253)).all()
    with torch.no_grad():
        expected = model.a(torch.from_numpy(images).float() / 255).numpy()
    values = golden.run(network, images, trains=True).values["a"]
    assert (expected < 0).any()
    inside = (values > 0) & (values < 255)
    error = np.abs(scale * (values - zero) - expected) / scale
    assert error[inside].max() < 0.6
    assert inside.mean() > 0.98
    pads = network["b"].projections[0].pad_value
    np.testing.assert_array_equal(pads, np.broadcast_to(zero.ravel(), 3))


def test_wide_identities_do_not_coarsen_a_convolution():
    """One large weight a channel beside small ones: it may take bits more than they do."""
    model = model_of("identity")
    model.b[1].weight.data *= 0.3
    network = convert(model, patches(), weight_bits=4)
    conv, skip = network["add"].projections
    assert isinstance(conv, Conv2d)
    assert isinstance(skip, Identity)
    assert np.abs(conv.weights).max() == 7
    assert 7 < np.abs(skip.weights).max() < 128


@pytest.mark.parametrize(
    ("options", "lengths"),
    [
        ({"timesteps": 12}, {"a.0": 10}),
        ({"timesteps": 10}, {"a.0": 13}),
        ({"timesteps": 9, "leak": 1.75}, {"a.0": 12}),
        ({"timesteps": 200, "neuron": "if2"}, {"a.0": 300}),
        ({"timesteps": 300, "method": "ttfs"}, {"a.0": 200}),
    ],
)
def test_residual_sums_of_trains_of_several_lengths(options, lengths):
    model, images = model_of("identity"), patches()
    network = convert(model, images, weight_bits=14, layer_timesteps=lengths, **options)
    steps = [network.train_types[name].timesteps for name in network["add"].sources]
    assert sorted(steps) == sorted([options["timesteps"], lengths["a.0"]])
    expected = floats(model, images)
    rest = logits(network, images) - expected
    assert rest.std() < 0.04 * (expected - expected.mean(axis=0)).std()


@pytest.mark.parametrize("neuron", ["if2", "if"])
def test_residual_sums_of_rate_trains(neuron):
    model, images = model_of("identity"), patches()
    network = convert(model, images, timesteps=16, weight_bits=12, neuron=neuron)
    expected = floats(model, images)
    found = logits(network, images)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9


def test_few_timesteps_keep_a_bottleneck_s_sign():
    model, images = model_of("linear bottlenecks"), patches(200)
    options = {"channel_scales": True, "error": "squared", "bias_correction": "mean"}
    errors = []
    for timesteps in (4, 6, 8):
        network = convert(model, images, timesteps=timesteps, weight_bits=12, **options)
        expected = floats(model, images)
        rest = logits(network, images) - expected
        errors.append(rest.std() / (expected - expected.mean(axis=0)).std())
    assert errors[0] < 1
    assert errors[2] < 0.5 * errors[1] < 0.25 * errors[0]


# --- refused ------------------------------------------------------------------------------------


REFUSED: dict[str, tuple[Callable, str]] = {
    "product": (lambda m, x: x * m.a(x), "mul of two maps is not supported: spikes add up"),
    "broadcast": (lambda m, x: x + m.a(x).mean((2, 3), keepdim=True), "adds maps of"),
    "sum of padded maps": (
        lambda m, x: m.a(F.pad(x, (1, 1, 1, 1)) + F.pad(m.a(x), (1, 1, 1, 1))),
        "adds a padded map; pad after the addition",
    ),
    "crop": (lambda m, x: m.a(x)[:, :, 2:8], "cuts a part of a map out"),
    "end of a row": (lambda m, x: m.a(x)[:, :, :, :6:2], "cuts a part of a map out"),
    "channels of ones": (
        lambda m, x: F.pad(x, (0, 0, 0, 0, 1, 0), value=1.0),
        "pads channels with",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    forward, expected = REFUSED[case]
    model = Forward(lambda m, x: forward(m, x).mean((2, 3)), a=nn.Conv2d(3, 3, 3, padding=1))
    with pytest.raises(ConversionError) as caught:
        fused(model.eval(), SHAPE)
    assert expected in str(caught.value)


def test_branches_of_two_codes_are_refused_before_calibration():
    """A branch from the input, whose code is not that of the layers."""
    model = Forward(
        lambda m, x: m.fc(F.relu(m.b(F.relu(m.a(x))) + m.c(x)).flatten(1)),
        a=nn.Conv2d(3, 4, 3, padding=1), b=nn.Conv2d(4, 4, 1), c=nn.Conv2d(3, 4, 1),
        fc=nn.Linear(576, 5),
    )  # fmt: skip
    expected = "the model gives no legal network: .*: all projections .* one code, not radix, rate"
    with pytest.raises(ConversionError, match=expected):
        convert(model.eval(), pixels(SHAPE), input_code="rate", progress=never)
    convert(model.eval(), pixels(SHAPE))


def never(*_: object) -> None:
    pytest.fail("calibration must not begin")


def test_a_linear_population_has_no_bound_below():
    graph = fused(model_of("sum, then conv"), SHAPE)
    assert population(graph, "add").low == -math.inf
