"""Feedback thresholds: the search against an independent implementation."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.conversion.methods.feedback import _Best, _Search, correlation, right_share
from hwgen.conversion.options import Options
from hwgen.conversion.quantisation.neuron import moved
from hwgen.errors import ConversionError
from hwgen.network import Conv2d, HardResetNeuron, Layer, Network, Readout
from tests.support.conversion import convert
from tests.support.float_models import Forward, firing, pixels

STEPS = 12
UPTO = {"0": 2, "2": 3, "3": 5}
"""Modules of :func:`model` up to the activation of each layer."""


def model(*, bias: bool = False) -> nn.Sequential:
    torch.manual_seed(4)
    return nn.Sequential(
        nn.Conv2d(1, 5, 3, bias=bias), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(5, 6, 3, padding=1, bias=bias), nn.ReLU(), nn.Flatten(),
        nn.Linear(54, 4, bias=bias),
    ).eval()  # fmt: skip


@cache
def data(count: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Images, and the classes that the CNN assigns to them."""
    images = np.kron(pixels((1, 4, 4), samples=count), np.ones((1, 1, 2, 2), np.uint8))
    with torch.no_grad():
        labels = model()(torch.from_numpy(images).float() / 255).argmax(1).numpy()
    return images, labels


def searched(**options: object) -> Network:
    images, labels = data()
    options = {"method": "feedback", "timesteps": STEPS, "thresholds": "current"} | options
    return convert(model(), images, labels=labels, **options)


def share(network: Network) -> float:
    """R of the logits of golden, image by image."""
    images, labels = data()
    shares = []
    for logits, label in zip(golden.run(network, images).logits, labels):
        positive = [max(int(value), 0) for value in logits]
        shares.append(positive[label] / sum(positive) if sum(positive) else 0.0)
    return sum(shares) / len(shares)


def likeness(network: Network, name: str) -> float:
    """C of the layer ``name`` by Pearson's formula."""
    images, _ = data()
    x = golden.run(network, images, trains=True).values[name].astype(float).ravel()
    with torch.no_grad():
        y = model()[: UPTO[name]](torch.from_numpy(images).float() / 255).double().numpy().ravel()
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))


def scaled(network: Network, factors: dict[str, float]) -> Network:
    """``network`` with thresholds times ``factors``; for networks without biases."""
    nodes = []
    for node in network.nodes:
        if isinstance(node, Layer) and isinstance(node.neuron, HardResetNeuron):
            threshold = np.maximum(np.rint(node.neuron.threshold * factors[node.name]), 1)
            neuron = replace(node.neuron, threshold=threshold.astype(np.int64))
            node = replace(node, neuron=neuron)
        nodes.append(node)
    return replace(network, nodes=tuple(nodes))


def test_the_share_of_right_spikes():
    """3 of 3 + 1; a class below zero has none; no spikes at all: 0; (3/4 + 1 + 0 + 0) / 4."""
    logits = np.array([[3, 1, -5], [-1, 7, 0], [-1, -2, -3], [2, 0, 0]])
    assert right_share(logits, np.array([0, 1, 0, 1])) == pytest.approx(1.75 / 4)


@pytest.mark.parametrize(
    ("share", "consistency", "better"), [(0.51, 0.2, True), (0.5, 0.2, False), (0.51, 0.1, False)]
)
def test_a_threshold_must_raise_the_share_and_not_lower_the_consistency(
    share: float, consistency: float, better: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = object.__new__(_Search)
    before = _Best(octaves={"a": 0.0}, share=0.5, accuracy=0.0, consistency={"a": 0.2})
    after = replace(before, octaves={"a": 1.0}, share=share, consistency={"a": consistency})
    search.best, search.tried = before, set()
    search.trials = SimpleNamespace(keep=lambda: None)
    monkeypatch.setattr(search, "_try", lambda octaves: (SimpleNamespace(nodes=()), after))
    assert search._better("a", 1.0) is better
    assert search.best is (after if better else before)


def test_the_algorithm_step_by_step():
    """An independent coordinate search gives the same thresholds."""
    options = {"search_rounds": 3, "search_step": 1.0, "search_stop": 0.5}
    start = searched(search_rounds=0)
    names = [layer.name for layer in firing(start)]
    assert names == ["0", "2", "3"]
    octaves, step, best = dict.fromkeys(names, 0.0), 1.0, share(start)
    first, like = best, {name: likeness(start, name) for name in names}
    rejected = 0
    for _ in range(3):
        before = best
        for name in names:
            for change in (step, -step):
                candidate = octaves | {name: octaves[name] + change}
                network = scaled(start, {n: 2.0**x for n, x in candidate.items()})
                value, refuse = share(network), likeness(network, name) < like[name]
                rejected += refuse and value > best
                if value > best and not refuse:
                    best, octaves = value, candidate
                    like = {n: likeness(network, n) for n in names}
                    break
        if best == before:
            step /= 2
            if step < 0.5:
                break
    found = searched(**options).provenance["feedback"]
    assert found["octaves"] == octaves
    assert any(octaves.values())
    assert rejected  # the other condition mattered
    assert found["right_spikes_before"] == pytest.approx(first)
    assert found["right_spikes"] == pytest.approx(best)


def test_the_network_is_the_best_one():
    found, start = searched(), searched(search_rounds=0)
    reported = found.provenance["feedback"]
    assert reported["right_spikes"] > reported["right_spikes_before"]
    assert share(found) == pytest.approx(reported["right_spikes"])
    factors = {name: 2.0**x for name, x in reported["octaves"].items()}
    for layer, expected in zip(firing(found), firing(scaled(start, factors))):
        assert layer.neuron.threshold.tolist() == expected.neuron.threshold.tolist()
    images, labels = data()
    hits = golden.run(found, images).classes == labels
    assert reported["accuracy"] == pytest.approx(100 * hits.mean())


def test_no_single_step_is_better_in_the_end():
    found = searched(search_stop=0.5, search_rounds=50)
    best = share(found)
    names = [layer.name for layer in firing(found)]
    start, octaves = searched(search_rounds=0), found.provenance["feedback"]["octaves"]
    for name in names:
        for change in (0.5, -0.5):
            factors = {n: 2.0 ** (x + change * (n == name)) for n, x in octaves.items()}
            network = scaled(start, factors)
            worse = likeness(network, name) < likeness(found, name)
            assert worse or share(network) <= best


def test_weights_stay_and_the_defaults_are_the_papers():
    found, start = searched(), searched(search_rounds=0)
    assert (found.input.code, found.input.gain, found.input.seed) == ("poisson", 16, 0x6A09E667)
    for layer, first in zip(found.layers, start.layers):
        for one, other in zip(layer.projections, first.projections):
            assert np.array_equal(one.weights, other.weights)
    for layer in firing(found):
        assert isinstance(layer.neuron, HardResetNeuron)
        assert not layer.neuron.floor.any()
        assert not layer.neuron.initial.any()
        assert not layer.bias.any()


def test_scales_follow_the_thresholds():
    found, start = searched(), searched(search_rounds=0)
    reported, upstream = found.provenance["feedback"], 1.0
    pixel = start.provenance["input_scale"][0] / 256
    for name in ("0", "2", "3"):
        upstream *= 2.0 ** reported["octaves"][name]
        scale = start.provenance["output_scales"][name] * upstream
        assert found.provenance["output_scales"][name] == pytest.approx(scale)
        assert reported["thresholds"][name] == pytest.approx(scale / pixel)
        pixel = scale
    assert found.provenance["logit_scale"] == pytest.approx(
        start.provenance["logit_scale"] * upstream
    )


def test_thresholds_are_reported_in_units_of_the_cnn_weights():
    """θ is to integer weights what p is to the CNN's; of each channel, up to its rounding."""
    found = searched(search_rounds=2)
    thresholds = found.provenance["feedback"]["thresholds"]
    conv, layer = model()[3].weight.detach().numpy(), found["3"]
    assert isinstance(layer.projections[0], Conv2d)
    for w, units, threshold in zip(conv, layer.projections[0].weights, layer.neuron.threshold):
        u = units.ravel().astype(float)
        weight = (w.ravel() @ u) / (u @ u)
        assert thresholds["3"] / weight == pytest.approx(threshold, abs=0.5, rel=0.01)
    # The average: four equal weights represent 1/4 each.
    (weight,) = np.unique(found["2"].projections[0].weights)
    assert thresholds["2"] * 4 * weight == pytest.approx(
        found["2"].neuron.threshold[0], abs=0.5, rel=0.01
    )


def test_consistency_is_the_correlation_with_the_cnn():
    found = searched()
    reported = found.provenance["feedback"]["consistency"]
    assert reported == pytest.approx({name: likeness(found, name) for name in UPTO})


def test_correlation_by_hand():
    """Deviations −1, 0, 1 and −2, 1, 1: 3 / √(2·6); nothing to compare in a silent layer."""
    found = correlation(np.array([0, 1, 2]), np.array([1.0, 4.0, 4.0]))
    assert found == pytest.approx(3 / 12**0.5)
    assert correlation(np.zeros(3, int), np.array([1.0, 2.0, 3.0])) == 0


def hand_layer(neuron: HardResetNeuron | Readout, bias: int) -> Layer:
    weights = np.ones((1, 1, 1, 1), np.int32)
    return Layer(
        name="c", projections=(Conv2d(source="input", weights=weights),),
        bias=np.array([bias]), neuron=neuron,
    )  # fmt: skip


def test_a_layer_that_moves_by_hand():
    """θ 100 → 200; 12 of the bias 22 are its own and become 3 behind 2 octaves, L = 0.1·θ."""
    options = Options(neuron="if_hard", eta=0.25, floor=-0.5, drive=0.1, timesteps=4)
    neuron = HardResetNeuron(threshold=np.array([100]), timesteps=4)
    layer = moved(hand_layer(neuron, 22), 1.0, 2.0, options)
    assert layer.neuron.threshold.tolist() == [200]
    assert layer.neuron.floor.tolist() == [-100]
    assert layer.neuron.initial.tolist() == [50]
    assert layer.bias.tolist() == [3 + 20]
    assert moved(hand_layer(neuron, 22), -9.0, 0.0, options).neuron.threshold.tolist() == [1]
    assert moved(hand_layer(Readout(), 40), 0.0, -1.0, options).bias.tolist() == [80]


def test_biases_mean_the_same_when_thresholds_have_moved():
    """Doubled thresholds halve the rates, but the scaled logits stay close to those of the CNN."""
    torch.manual_seed(4)
    images, labels = data()
    cnn = model(bias=True)
    options = {"timesteps": 400, "neuron": "if", "floor": -16.0, "input_code": "rate",
               "weight_bits": 12, "method": "feedback", "labels": labels}  # fmt: skip
    start = convert(cnn, images, search_rounds=0, **options)
    reported = Options(neuron="if", timesteps=400, floor=-16.0, eta=0.0)
    nodes, upstream = [], 0.0
    for node in start.nodes:
        if isinstance(node, Layer):
            node = moved(node, 1.0, upstream, reported)
            upstream += 1.0
        nodes.append(node)
    with torch.no_grad():
        expected = cnn(torch.from_numpy(images).float() / 255).numpy()
    errors = {}
    for factor, network in ((1, start), (8, replace(start, nodes=tuple(nodes)))):
        scale = start.provenance["logit_scale"] * factor
        logits = golden.run(network, images).logits * scale
        errors[factor] = np.abs(logits - expected).mean() / expected.std()
    assert errors[1] < 0.1
    assert errors[8] < 0.2


def test_it_is_deterministic_and_takes_images_evenly_spread():
    one, other = searched(search_images=7), searched(search_images=7)
    assert one.provenance == other.provenance
    for first, second in zip(firing(one), firing(other)):
        assert first.neuron.threshold.tolist() == second.neuron.threshold.tolist()
    assert one.provenance["feedback"]["images"] == 7
    picks = np.linspace(0, 23, 7).round().astype(int)
    images, labels = data()
    logits = golden.run(one, images[picks]).logits
    assert right_share(logits, labels[picks]) == pytest.approx(
        one.provenance["feedback"]["right_spikes"]
    )


def test_progress_names_layers_and_what_is_reached():
    reported: list[tuple[int, int, str]] = []
    searched(search_rounds=1, progress=lambda *args: reported.append(args))
    at = reported.index((6, 6, "")) + 1 if (6, 6, "") in reported else len(reported) - 4
    rest = [args for args in reported[at:] if "round 1" in args[2]]
    assert [(done, of, name.split(",")[0]) for done, of, name in rest] == [
        (0, 3, "0"), (1, 3, "2"), (2, 3, "3"),
    ]  # fmt: skip
    assert all("% right spikes" in name for _, _, name in rest)


def test_branches_are_rejected():
    torch.manual_seed(0)
    cnn = Forward(
        lambda m, x: m.fc(torch.relu(m.b(y := torch.relu(m.a(x))) + y).flatten(1)),
        a=nn.Conv2d(1, 2, 3, bias=False), b=nn.Conv2d(2, 2, 3, padding=1, bias=False),
        fc=nn.Linear(72, 4, bias=False),
    ).eval()  # fmt: skip
    images, labels = data()
    with pytest.raises(ConversionError, match="branches meet here.*use method 'threshold_bal"):
        convert(cnn, images, labels=labels, method="feedback", timesteps=4)


def test_labels_are_needed():
    with pytest.raises(ConversionError, match="method 'feedback' needs labels"):
        convert(model(), data()[0], method="feedback", timesteps=4)
