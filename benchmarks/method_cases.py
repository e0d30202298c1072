"""Which conversions the table of methods holds, and what their papers claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hwgen.convert import Finetuning

CALIBRATED: dict[str, Any] = {
    "channel_scales": True,
    "error": "squared",
    "bias_correction": "mean",
}
FINETUNING = Finetuning(epochs=1)
THRELU_PAPER = {"membrane": "93.90 → 91.44 (MNIST)", "softmax": "95.10 → 92.20 (MNIST)"}
FEEDBACK_PAPER = "79.6 → 78.8, 98.04 % of it (CIFAR-10)"
TTFS_PAPER = "99.56 → 99.44, 0.142 spikes/neuron, 1,015,015 operations"


@dataclass(frozen=True)
class Case:
    """One conversion of a network of the table.

    ``samples`` bounds the test images: trains that golden has to go through step by step take
    long.
    """

    network: str  # "mnist" or "resnet20"
    method: str
    timesteps: int
    note: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    samples: int = 10_000
    paper: str = ""
    model: str = ""  # "clipped" or "adjusted": the network as the method wants it trained

    @property
    def series(self) -> str:
        """Its line in plots."""
        return f"{self.method} {self.note}".strip()


def mnist_cases() -> Iterator[Case]:
    for steps in (2, 3, 4, 5, 8):
        yield Case("mnist", "spikeconverter", steps)
    for steps in (2, 3, 4):
        yield Case("mnist", "spikeconverter", steps, "calibrated", CALIBRATED)
    for steps in (2, 3):
        yield Case("mnist", "spikeconverter", steps, "fine-tuned", {"finetuning": FINETUNING})
    for steps in (4, 8):
        yield Case("mnist", "spikeconverter", steps, "k = 1.6", {"leak": 1.6})
    for steps in (8, 16, 32):
        yield Case("mnist", "spikeconverter", steps, "if2", {"neuron": "if2"})
    for steps in (4, 8, 16, 32):
        yield Case("mnist", "ttfs", steps, paper=TTFS_PAPER if steps == 16 else "")
    yield from _rate("mnist", (16, 32, 64, 128, 256), samples=1000, whole=128)
    for steps in (4, 8, 16, 32):
        yield Case("mnist", "ecc", steps, "direct", {"input_code": "direct"}, samples=1000)
    for steps in (16, 32, 64, 128):
        yield Case("mnist", "threshold_relu", steps, samples=1000, model="clipped",
                   paper=THRELU_PAPER["membrane"] if steps == 128 else "")  # fmt: skip
    for steps in (32, 128):
        yield Case("mnist", "threshold_relu", steps, "softmax", {"decoder": "softmax"}, 1000,
                   THRELU_PAPER["softmax"] if steps == 128 else "", model="clipped")  # fmt: skip
    for steps in (16, 32, 64):
        yield Case("mnist", "feedback", steps, samples=1000, model="adjusted",
                   paper=FEEDBACK_PAPER if steps == 16 else "")  # fmt: skip


def resnet20_cases() -> Iterator[Case]:
    paper = {16: "91.47 → 91.47 at T = 16"}
    for steps in (3, 4, 5, 8):
        yield Case("resnet20", "spikeconverter", steps, "calibrated",
                   CALIBRATED | {"layer_timesteps": {"input": 8}},
                   paper=paper[16] if steps == 8 else "")  # fmt: skip
    yield Case("resnet20", "spikeconverter", 8)
    for steps in (16, 32):
        yield Case("resnet20", "spikeconverter", steps, "if2", {"neuron": "if2"})
    for steps in (16, 32, 64):
        yield Case("resnet20", "ttfs", steps)
    yield from _rate("resnet20", (32, 64, 128, 256), samples=300)


PAPERS = {
    ("ecc", 128): "near zero from T = 128 (VGG-16)",
    ("weight_norm", 256): "1 point behind at T = 128, near zero at 1,024 (VGG-16)",
    ("rmp", 128): "near zero from T = 128 (0.8), 256 (0.9) (VGG-16); more operations",
    ("threshold_balancing", 256): "89.1 → 87.46 at T = 2,048 (ResNet-20)",
}


def _rate(
    network: str, timesteps: tuple[int, ...], *, samples: int, whole: int = 0
) -> Iterator[Case]:
    """Single-phase neurons; ``whole`` is the length at which ECC sees all test images."""
    for steps in timesteps:
        for method, note, options in (
            ("ecc", "", {}),
            ("weight_norm", "", {}),
            ("weight_norm", "99.9 %", {"percentile": 99.9}),
            ("rmp", "0.8", {}),
            ("rmp", "0.9", {"threshold_scale": 0.9}),
            ("threshold_balancing", "", {}),
        ):
            if steps == min(timesteps) and method in ("rmp", "threshold_balancing"):
                continue  # far too short for them
            size = 10_000 if steps == whole and method == "ecc" else samples
            yield Case(network, method, steps, note, options, size, PAPERS.get((method, steps), ""))


def ablation_cases(network: str, timesteps: tuple[int, ...], samples: int) -> Iterator[Case]:
    """ECC's ingredients, one after the other (their Fig. 3a).

    Without CN thresholds are 1 for weights as they are; CMB is the ε of batch norm, which
    ``epsilon`` leaves out of the folding; without TRE η is 0.
    """
    ingredients = (
        ("none", {"thresholds": "one", "eta": 0.0, "epsilon": 0.0}),
        ("CN", {"eta": 0.0, "epsilon": 0.0}),
        ("CN + CMB", {"eta": 0.0}),
        ("CN + CMB + TRE", {}),
    )
    for steps in timesteps:
        for note, options in ingredients:
            yield Case(network, "ecc", steps, note, options, samples)
