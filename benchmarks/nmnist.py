"""N-MNIST address events: accuracy beside Table 2 of the thReLU report (Chang et al.).

    python -m benchmarks.nmnist [--timesteps 16] [--samples 20] [--rtl NETWORK …] [--json FILE]

Trains three small CNNs on the 1,000 training samples of HWGEN_DATA and caches their weights. Their
input is a frame with the fraction of timesteps in which a pixel has an event. Converts them, runs
golden on the 100 test samples, and simulates the generated Verilog on the events of the first
``--samples`` of them, comparing every stream with golden. The ReLU network and the first with
threshold ReLU use average pools; the last row is the third network followed by a spiking softmax.

The report's networks see the same frame in every timestep ("preprocessed frame images of events
instead of the original binary data"). Rows "frames" do so, with direct input of the pixels' counts.
Rows "events" use the events themselves, each in its timestep, with single-phase neurons as in the
report and with two-phase neurons; the report does not cover them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from torch import nn

from benchmarks.command import data_folder, make_parser, write_json
from benchmarks.figures import cycles, operations_per_sample, percent_right
from benchmarks.nmnist_models import RECIPES, float_accuracy, train
from benchmarks.table import make_table
from benchmarks.training import default_cache
from hwgen import golden
from hwgen.conversion import convert
from hwgen.datasets import Dataset, load
from hwgen.generation import generate
from hwgen.network import Network

SHAPE = (2, 34, 34)
WEIGHT_BITS = 8
PAPER = {
    "relu": (98.58, 90.0),
    "threlu": (93.52, 87.72),
    "threlu_maxpool": (93.83, 89.27),
    "threlu_maxpool_softmax": (93.83, 91.97),
}
"""Accuracy of the ANN and of the SNN in the report's Table 2."""
TITLES = {
    "relu": "ReLU",
    "threlu": "thReLU",
    "threlu_maxpool": "thReLU + max-pool",
    "threlu_maxpool_softmax": "thReLU + max-pool + softmax",
}


@dataclass(frozen=True)
class Way:
    """Input of a network, its length in multiples of T, and the conversion options."""

    title: str
    method: dict[str, Any]
    frames: bool = False
    longer: int = 1


THRESHOLD_RELU = {"method": "threshold_relu"}
NETWORKS = {
    "relu": ("relu", "membrane"),
    "threlu": ("threlu", "membrane"),
    "threlu_maxpool": ("threlu_maxpool", "membrane"),
    "threlu_maxpool_softmax": ("threlu_maxpool", "softmax"),
}
"""Recipe and output decoder of each row."""
WAYS = (
    Way("frames", THRESHOLD_RELU, frames=True),
    Way("frames, 4 T", THRESHOLD_RELU, frames=True, longer=4),
    Way("events", THRESHOLD_RELU),
    Way("events, two-phase", {"method": "spikeconverter", "neuron": "if2"}),
)


def as_frames(data: Dataset) -> Dataset:
    """Number of timesteps with an event, for each pixel."""
    return Dataset(images=data.images.sum(axis=1, dtype=np.uint8), labels=data.labels)


def converted(
    name: str, model: nn.Module, way: Way, training: Dataset, steps: int, decoder: str
) -> Network:
    options: dict[str, Any] = {"decoder": decoder, **way.method}
    if way.frames:
        training = as_frames(training)
        options |= {"input_code": "direct", "scale": 1 / steps, "pixel_bits": steps.bit_length()}
    return convert(
        model, training.images, labels=training.labels, timesteps=way.longer * steps,
        weight_bits=WEIGHT_BITS, name=f"nmnist_{name}", **options,
    )  # fmt: skip


def row(name: str, way: Way, network: Network, test: Dataset, floats: float) -> dict[str, Any]:
    """Accuracies in per cent over all of ``test``; spikes and operations per sample."""
    result = golden.run(network, test.images)
    accuracy = percent_right(result.classes, test.labels)
    return {
        "network": name,
        "input": way.title,
        "timesteps": network.input.timesteps,
        "samples": len(test),
        "float_accuracy": floats,
        "accuracy": accuracy,
        "loss": floats - accuracy,
        "spikes_in": float(result.spikes[network.input.name].mean()),
        "synaptic_operations": operations_per_sample(result),
    }


def measure(network: Network, test: Dataset, samples: int) -> dict[str, Any]:
    """Simulate the Verilog on the first ``samples``; raise if a stream differs from golden."""
    with tempfile.TemporaryDirectory() as folder:
        build = generate(network, counters=False).write(Path(folder) / "build")
        report = build.simulate(test.images, labels=test.labels, samples=samples)
    return {
        "rtl_samples": report.samples,
        "rtl_bit_exact": report.bit_exact,
        **cycles(report),
    }


def rows(options: argparse.Namespace, console: Console) -> Iterator[dict[str, Any]]:
    names = ("nmnist_small_train.npz", "nmnist_small_test.npz")
    folder = data_folder(*names)
    training, test = (
        load(folder / name, timesteps=options.timesteps, shape=SHAPE) for name in names
    )
    for name, (title, decoder) in NETWORKS.items():
        recipe = RECIPES[title]
        with console.status(f"training {TITLES[name]}"):
            model = train(recipe, training, options.cache or default_cache())
        floats = float_accuracy(model, test)
        for way in WAYS:
            fed = as_frames(test) if way.frames else test
            network = converted(name, model, way, training, options.timesteps, decoder)
            made = row(name, way, network, fed, floats)
            made["recipe"] = asdict(recipe)
            if options.samples and not way.frames and name in options.rtl:
                with console.status(f"simulating {TITLES[name]}, {way.title}"):
                    made |= measure(network, fed, options.samples)
            yield made


def tables(found: list[dict[str, Any]]) -> Iterator[Table]:
    first = found[0]
    made = make_table(
        f"N-MNIST, {first['samples']} test samples, and Table 2 of the report",
        ("network", "input", "T", "ANN %", "SNN %", "loss", "theirs: ANN %", "SNN %", "loss"),
        left=("network", "input"),
    )
    for name, (theirs, spiking) in PAPER.items():
        mine = [item for item in found if item["network"] == name]
        paper = (f"{theirs:.2f}", f"{spiking:.2f}", f"{theirs - spiking:.2f}")
        for item in mine:
            own = (f"{item[key]:.2f}" for key in ("float_accuracy", "accuracy", "loss"))
            steps = str(item["timesteps"])
            theirs_too = paper if item["input"].startswith("frames") else ("", "", "")
            made.add_row(TITLES[name], item["input"], steps, *own, *theirs_too)
    yield made
    simulated = [item for item in found if "rtl_samples" in item]
    if not simulated:
        return
    made = make_table(
        f"{simulated[0]['rtl_samples']} samples in RTL, every stream as golden's",
        ("network", "input", "spikes in", "synaptic operations", "latency", "interval",
         "predicted"),
        left=("network", "input"),
    )  # fmt: skip
    for item in simulated:
        assert item["rtl_bit_exact"]
        figures = ("spikes_in", "synaptic_operations", "latency_cycles", "interval_cycles",
                   "predicted_interval_cycles")  # fmt: skip
        made.add_row(
            TITLES[item["network"]], item["input"], *(f"{item[key]:,.0f}" for key in figures)
        )
    yield made


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, cache=True)
    parser.add_argument("--timesteps", type=int, default=16)
    parser.add_argument(
        "--samples", type=int, default=20, help="test samples to simulate; 0 for none"
    )
    parser.add_argument(
        "--rtl", nargs="+", choices=list(NETWORKS), default=list(NETWORKS), metavar="NETWORK",
        help="simulate these only",
    )  # fmt: skip
    options = parser.parse_args(argv)
    console = Console()
    started = time.monotonic()
    found = []
    for made in rows(options, console):
        found.append(made)
        console.print(
            f"{TITLES[made['network']]}, {made['input']}: {made['float_accuracy']:.2f} → "
            f"{made['accuracy']:.2f} % ({time.monotonic() - started:.0f} s)"
        )
    for table in tables(found):
        console.print(table)
    write_json(options.json, {"rows": found})


if __name__ == "__main__":
    main()
