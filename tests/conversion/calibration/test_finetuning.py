"""Fine-tuning: quantised activations, their gradients, and agreement with conversion."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hwgen import golden
from hwgen.conversion import Finetuning
from hwgen.conversion.calibration.finetuning import finetune
from hwgen.conversion.float_graph import FloatGraph, FloatIdentity, Population, Steps
from hwgen.conversion.options import Options
from hwgen.errors import ConversionError
from hwgen.network import equal_taps, stored_weights
from tests.support.conversion import PLAIN, convert, keep_training
from tests.support.float_models import Forward, fused, pixels, trained_on_digits

ROUNDED = 1 / 256  # at most, of a weight that has its integer whatever the threshold


def model(seed: int = 3) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(54, 10), nn.ReLU(),
        nn.Linear(10, 4),
    ).eval()  # fmt: skip


def images(samples: int = 200) -> np.ndarray:
    return np.kron(pixels((1, 4, 4), samples=samples), np.ones((1, 1, 2, 2), np.uint8))


def graph_of(made: nn.Module, known: np.ndarray) -> FloatGraph:
    return fused(made, known.shape[1:])


def test_steps_and_their_gradients_by_hand() -> None:
    """λ = 2, levels 3, η = 1/2: u/λ = −0.5, 0.2, 1.35, 4.5 → q = 0, 0, 1, 3."""
    steps = Steps(scale=np.array([2.0]), levels=3, eta=0.5)
    sums = torch.tensor([-1.0, 0.4, 2.7, 9.0]).reshape(4, 1, 1, 1).requires_grad_()
    scale = torch.tensor([2.0], requires_grad=True)
    activations = steps.activate(sums, scale)
    assert activations.flatten().tolist() == [0, 0, 2, 6]
    assert steps.activate(sums).flatten().tolist() == [0, 0, 2, 6]
    activations.sum().backward()
    assert sums.grad.flatten().tolist() == [0, 1, 1, 0]
    assert scale.grad.item() == pytest.approx((0 - 0.2) + (1 - 1.35) + 3)


@pytest.fixture
def always_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What training makes of untrained networks is no better on images that it has not seen."""
    keep_training(monkeypatch)


@pytest.mark.usefixtures("always_kept")
def test_the_network_equals_the_tuned_model() -> None:
    """Codes of golden equal those of the tuned float network, computed by hand."""
    known = images()
    tuning = Finetuning(epochs=2)
    options = Options(timesteps=2, channel_scales=False)
    tuned = finetune(graph_of(model(), known), known, options, tuning)
    steps = {node.name: node.steps for node in tuned.nodes if isinstance(node, Population)}
    network = convert(
        model(), known, timesteps=2, finetuning=tuning, **PLAIN | {"error": "squared"}
    )
    scales = network.provenance["output_scales"]
    assert scales["0"] == pytest.approx(float(steps["0"].scale[0]), rel=1e-6)
    assert steps["6"] is None  # the readout
    values = golden.run(network, known, trains=True).values["4"][..., 0, 0]
    conv, linear = (node for node in tuned.nodes if node.name in ("0", "4"))
    # By hand: pixels of 8 bits, a convolution, a pool of 2 × 2, a linear layer.
    provenance = network.provenance
    x = torch.from_numpy(known * provenance["input_scale"][0] + provenance["input_offset"][0])
    u = torch.nn.functional.conv2d(
        x.double(), torch.from_numpy(conv.projections[0].weights), torch.from_numpy(conv.bias)
    )
    q = (u / conv.steps.scale[0] + 0.5).floor().clamp(0, 3)
    pooled = torch.nn.functional.max_pool2d(q, 2).flatten(1) * conv.steps.scale[0]
    u = pooled @ torch.from_numpy(linear.projections[0].weights).T + torch.from_numpy(linear.bias)
    q = (u / linear.steps.scale[0] + 0.5).floor().clamp(0, 3)
    np.testing.assert_array_equal(values, q.numpy())
    assert values.std() > 0.5


def test_short_trains_lose_less() -> None:
    """Digits at two timesteps, on unseen images; without it weights are rounded only."""
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    pixels = (digits.images[:, np.newaxis] * 15).astype(np.uint8)
    known, unseen = pixels[:1200], pixels[1200:]
    made = trained_on_digits(known, digits.target[:1200])
    right = []
    for finetuning in (None, Finetuning(epochs=4, batch=32)):
        network = convert(made, known, timesteps=2, finetuning=finetuning, rounding="nearest")
        right.append((golden.classify(network, unseen) == digits.target[1200:]).mean())
    assert right[1] > right[0] + 0.01


class Rates(torch.optim.Adam):
    """Adam that notes the learning rate of every group before each step, and the first tensors."""

    steps: list[list[float]]
    tensors: list[np.ndarray]

    def step(self, closure: object = None) -> None:
        if not Rates.steps:
            Rates.tensors = [group["params"][0].detach().numpy().copy() for group in
                             self.param_groups]  # fmt: skip
        Rates.steps.append([float(group["lr"]) for group in self.param_groups])
        super().step()


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> type[Rates]:
    Rates.steps, Rates.tensors = [], []
    monkeypatch.setattr(torch.optim, "Adam", Rates)
    return Rates


def test_learning_rates_fall_by_half_a_cosine_over_all_batches(rates: type[Rates]) -> None:
    """200 images, a tenth held out, in batches of 64 are three steps per epoch."""
    finetune(
        graph_of(model(), images()), images(), Options(timesteps=2), Finetuning(epochs=3, batch=64)
    )
    assert len(rates.steps) == 3 * 3
    shares = np.array(rates.steps) / rates.steps[0]
    expected = (1 + np.cos(np.pi * np.arange(9) / 9)) / 2
    np.testing.assert_allclose(shares, np.broadcast_to(expected[:, None], shares.shape), rtol=1e-6)


def test_learning_rates_follow_the_size_of_what_learns(rates: type[Rates]) -> None:
    """Weights of three layers, scales of two, biases of three; two move in units of λ."""
    tuning = Finetuning(epochs=1, learning_rate=0.02)
    finetune(graph_of(model(), images()), images(), Options(timesteps=2), tuning)
    sizes = [float(np.sqrt(np.square(tensor.astype(float)).mean())) for tensor in rates.tensors]
    weights, scales, biases = sizes[:3], sizes[3:5], sizes[5:]
    assert len(biases) == 3
    expected = [*weights, *(0.1 * size for size in scales), *scales, biases[-1]]
    np.testing.assert_allclose(rates.steps[0], 0.02 * np.array(expected), rtol=1e-5)


def test_every_epoch_has_all_images_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    orders, shuffle = [], torch.randperm

    def noted(*arguments: object, **options: object) -> torch.Tensor:
        orders.append(shuffle(*arguments, **options))
        return orders[-1]

    monkeypatch.setattr(torch, "randperm", noted)
    finetune(graph_of(model(), images()), images(), Options(timesteps=2), Finetuning(epochs=3))
    assert [sorted(order.tolist()) for order in orders] == [list(range(180))] * 3
    assert len({tuple(order.tolist()) for order in orders}) == 3


@pytest.mark.usefixtures("always_kept")
def test_fine_tuning_is_reproducible() -> None:
    made = [
        convert(model(), images(), timesteps=3, finetuning=Finetuning(epochs=1, seed=seed))
        for seed in (1, 1, 2)
    ]
    first, again, other = (net.layers[0].projections[0].weights for net in made)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert made[0].provenance["finetuning"]["images"] == len(images())


@pytest.mark.usefixtures("always_kept")
def test_trained_biases_are_not_corrected() -> None:
    """Training starts from the fit whatever the options say, so that both are the same network."""
    options = {**PLAIN, "timesteps": 2, "weight_bits": 4, "finetuning": Finetuning(epochs=1)}
    one, other = (
        convert(model(), images(), **options | {"bias_correction": correction})
        for correction in ("none", "mean")
    )
    for a, b in zip(one.layers, other.layers, strict=True):
        np.testing.assert_array_equal(a.bias, b.bias)


def test_training_that_does_not_help_is_dropped() -> None:
    """With a rate of 1 every step moves a weight by its own size."""
    before, told = graph_of(model(), images()), list[str]()
    tuning = Finetuning(epochs=1, learning_rate=1.0)
    after = finetune(
        before, images(), Options(timesteps=3), tuning, lambda done, of, what: told.append(what)
    )
    assert after is before
    assert told[-1].startswith("fine-tuning dropped: divergence ")


@pytest.mark.usefixtures("always_kept")
def test_shortcuts_stay_copies() -> None:
    def forward(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(m.first(x))
        return m.last(torch.relu(m.second(x) + x).flatten(1))

    torch.manual_seed(1)
    made = Forward(
        forward, first=nn.Conv2d(1, 4, 3, padding=1), second=nn.Conv2d(4, 4, 3, padding=1),
        last=nn.Linear(256, 4),
    )  # fmt: skip
    before = graph_of(made, images())
    after = finetune(before, images(), Options(timesteps=3), Finetuning(epochs=1))
    pairs = [
        (old, new)
        for one, other in zip(before.nodes, after.nodes)
        if isinstance(one, Population)
        for old, new in zip(one.projections, other.projections)
    ]
    same = [np.allclose(new.weights, old.weights, rtol=ROUNDED) for old, new in pairs]
    assert same == [isinstance(old, FloatIdentity) for old, _ in pairs]
    assert sum(same) == 1


@pytest.mark.usefixtures("always_kept")
def test_equal_taps_learn_as_one_weight_and_averages_stay() -> None:
    """An average before a convolution is a population; one before a linear layer is merged."""
    torch.manual_seed(1)
    made = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(4, 4, 1), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16, 4),
    ).eval()  # fmt: skip
    before = graph_of(made, images())
    after = finetune(before, images(), Options(timesteps=3), Finetuning(epochs=1))
    (_, average, _, last), (_, same, _, tuned) = (
        [node.projections[0].weights for node in graph.nodes if isinstance(node, Population)]
        for graph in (before, after)
    )
    np.testing.assert_allclose(same, average, rtol=ROUNDED)
    assert np.array_equal(same, same[:, :, :1, :1] * np.ones((1, 1, 2, 2)))
    assert last.shape == (4, 4, 4, 4)
    assert equal_taps(tuned) == (2, 2)
    assert (stored_weights(tuned) != stored_weights(last)).mean() > 0.5  # some inputs are silent


@pytest.mark.parametrize("neuron", ["ilif", "if2", "ttfs"])
def test_all_two_phase_neurons_can_be_tuned(neuron: str) -> None:
    method = "ttfs" if neuron == "ttfs" else "spikeconverter"
    network = convert(
        model(), images(), method=method, neuron=neuron, timesteps=4, channel_scales=True,
        finetuning=Finetuning(epochs=1),
    )  # fmt: skip
    assert len(golden.classify(network, images())) == 200
    assert len(set(network.provenance["output_scales"]["0"])) > 1


def test_single_phase_neurons_cannot_be_tuned() -> None:
    with pytest.raises(ConversionError, match="closed form of two-phase neurons, not 'if'"):
        convert(model(), images(), method="ecc", timesteps=4, finetuning=Finetuning())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be an integer of at least 1, not 0"),
        ({"batch": True}, "batch must be an integer of at least 1, not True"),
        ({"learning_rate": 0.0}, "learning_rate must be a number above 0, up to 1, not 0.0"),
    ],
)
def test_settings_are_checked(options: dict, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        Finetuning(**options)
