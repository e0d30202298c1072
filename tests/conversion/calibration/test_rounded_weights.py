"""Training sees the weights that quantisation will make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.conversion import Finetuning
from hwgen.conversion.calibration.finetuning import finetune
from hwgen.conversion.calibration.float_run import run_float, run_nodes
from hwgen.conversion.calibration.input_decoding import decode_input, make_input
from hwgen.conversion.calibration.rounded_weights import WeightRounding
from hwgen.conversion.calibration.starting_point import with_steps
from hwgen.conversion.calibration.student import Student
from hwgen.conversion.float_graph import FloatGraph, FloatIdentity, Population
from hwgen.conversion.options import Options
from tests.support.conversion import convert, keep_training
from tests.support.float_models import Forward, fused, pixels

KNOWN = pixels((2, 8, 8), samples=120)


def model() -> nn.Module:
    """A padded input with an offset, pools of both kinds, a shortcut, groups, a flatten."""

    def forward(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(m.first(x))
        x = torch.relu(m.second(x) + x)
        x = nn.functional.avg_pool2d(x, 2)
        x = nn.functional.max_pool2d(torch.relu(m.third(x)), 2)
        return m.last(torch.relu(m.linear(x.flatten(1))))

    torch.manual_seed(2)
    return Forward(
        forward, first=nn.Conv2d(2, 4, 3, padding=1), second=nn.Conv2d(4, 4, 3, padding=1),
        third=nn.Conv2d(4, 4, 3, padding=1, groups=2), linear=nn.Linear(16, 8),
        last=nn.Linear(8, 3),
    ).eval()  # fmt: skip


def trained(options: dict[str, Any], mean: float, seed: int = 0) -> FloatGraph:
    graph = fused(model(), (2, 8, 8), offset=-mean)
    tuning = Finetuning(epochs=1, batch=16, seed=seed)
    return finetune(graph, KNOWN, Options(pixel_bits=8, **options), tuning)


def with_padding(graph: FloatGraph, value: np.ndarray) -> FloatGraph:
    """``graph`` whose first layer pads with ``value``."""
    first = graph.nodes[0]
    assert isinstance(first, Population)
    (projection,) = first.projections
    padded = replace(first, projections=(replace(projection, pad_value=value),))
    return replace(graph, nodes=(padded, *graph.nodes[1:]))


@pytest.mark.parametrize("channel_scales", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"timesteps": 2},
        {"timesteps": 3, "weight_bits": 3},
        {"timesteps": 2, "layer_timesteps": {"input": 3, "first": 1}},
        {"timesteps": 4, "neuron": "if2", "weight_bits": 6},
    ],
    ids=str,
)
def test_the_integer_network_is_the_trained_one(
    options: dict[str, Any], channel_scales: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch's float sums of the trained network give golden's codes, all of them."""
    keep_training(monkeypatch)
    options = options | {"channel_scales": channel_scales}
    tuned = trained(options, 0.4)
    tuning = Finetuning(epochs=1, batch=16)
    network = convert(model(), KNOWN, mean=[0.4, 0.4], std=[1, 1], finetuning=tuning, **options)
    run = golden.run(network, KNOWN, trains=True)
    scale, offset = (
        np.asarray(network.provenance[name]).reshape(-1, 1, 1)
        for name in ("input_scale", "input_offset")
    )
    q_max = run.values["input"].max()
    pads = np.clip(np.round((0.4 * 255 - offset) / scale), 0, q_max) * scale + offset
    tuned = with_padding(tuned, pads.reshape(-1))
    values = run_nodes(tuned, run.values["input"] * scale + offset)
    compared = 0
    for node in tuned.nodes:
        if isinstance(node, Population) and node.steps is not None:
            codes = values[node.name] / node.steps.scale.reshape(-1, 1, 1)
            np.testing.assert_array_equal(np.round(codes), run.values[node.name], node.name)
            compared += codes.any()
    assert compared >= 4


@pytest.mark.parametrize(("bits", "near"), [(16, 0.002), (3, 0.5)])
def test_training_computes_with_rounded_weights(bits: int, near: float) -> None:
    """Rounded at 16 bits it is nearly the network of the start; at 3 bits it is another one."""
    graph = fused(model(), (2, 8, 8), offset=-0.4)
    options = Options(timesteps=4, layer_timesteps={"input": 4})
    source = decode_input(KNOWN, make_input(graph, options), graph)
    rounding = WeightRounding(source, 15, bits)
    made = rounding.ready(with_steps(graph, KNOWN, options))
    student = Student(made, rounding)
    values = source.of(torch.from_numpy((KNOWN >> 4).astype(np.float32)))
    with torch.no_grad():
        logits = student.logits(values).numpy()
    np.testing.assert_array_equal(logits, run_float(student.graph(), values.numpy()))
    plain = run_nodes(made, values.numpy())
    first = run_nodes(student.graph(), values.numpy())["first"]
    share = float((np.abs(first - plain["first"]) > 1e-6).mean())
    assert near / 100 < share < near


def test_copies_are_copies_up_to_their_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_training(monkeypatch)
    tuned = trained({"timesteps": 2}, 0.0)
    (shortcut,) = [
        projection
        for node in tuned.nodes
        if isinstance(node, Population)
        for projection in node.projections
        if isinstance(projection, FloatIdentity)
    ]
    np.testing.assert_allclose(shortcut.weights, 1, rtol=1 / 50)
    assert not np.array_equal(shortcut.weights, np.ones(4))
