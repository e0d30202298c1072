"""Speed of the golden model's closed form on the MNIST CNN, beside SpikingJelly and PyTorch.

All three run the same topology on the same images in one process, in turns, so that other load on
the machine affects all alike; figures are medians. PyTorch and SpikingJelly use OMP_NUM_THREADS
threads (2 by default), golden as many workers. SpikingJelly's network follows ann2snn: soft-reset
IF neurons in place of ReLUs, constant input, T timesteps; the faster of its step modes counts.
Weights are random; only the number of spikes depends on them.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from torch import nn

from benchmarks.command import data_folder, make_parser, write_json
from benchmarks.figures import operations_per_sample
from benchmarks.table import make_table
from hwgen import golden
from hwgen.datasets import load
from hwgen.network import (
    Conv2d,
    Flatten,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    MaxPool2d,
    Network,
    Node,
    Projection,
    Readout,
)

Run = Callable[[], Any]


def images_of(samples: int) -> tuple[np.ndarray, str]:
    path = data_folder() / "mnist_test.npz"
    if path.is_file():
        return load(path).images[:samples], "MNIST"
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, size=(samples, 1, 28, 28), dtype=np.uint8), "random"


def model(activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Two 3×3 convolutions, two max-pools, two linear layers: 421,642 weights."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), activation(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), activation(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128), activation(), nn.Linear(128, 10),
    ).eval()  # fmt: skip


def integers(float_model: nn.Sequential, images: np.ndarray, timesteps: int) -> Network:
    """Network with 8-bit weights and T-bit values, scaled by its largest activations."""
    levels = (1 << timesteps) - 1
    x, scale = torch.from_numpy(images[:200]).float() / 255, 1 / levels
    nodes: list[Node] = []
    name = "input"
    weighted = [m for m in float_model if isinstance(m, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        for index, module in enumerate(float_model):
            x = module(x)
            fresh = f"{index}"
            if isinstance(module, nn.MaxPool2d):
                nodes.append(MaxPool2d(name=fresh, source=name, kernel=(2, 2), stride=(2, 2)))
            elif isinstance(module, nn.Flatten):
                nodes.append(Flatten(name=fresh, source=name))
            elif isinstance(module, nn.Conv2d | nn.Linear):
                step = float(module.weight.abs().max()) / 127
                weights = torch.round(module.weight / step).numpy().astype(np.int32)
                projection: Projection = Linear(source=name, weights=weights)
                if isinstance(module, nn.Conv2d):
                    projection = Conv2d(source=name, weights=weights, padding=(1, 1, 1, 1))
                unit, scale = step * scale, float(x.max()) / levels
                assert module.bias is not None
                bias = torch.round(module.bias / unit).numpy().astype(np.int64)
                neuron: Any = Readout()
                if module is not weighted[-1]:
                    threshold = max(1, round(scale / unit))
                    bias = bias + threshold // 2
                    neuron = InverseLeakyNeuron(
                        threshold=np.full(len(bias), threshold), timesteps=timesteps
                    )
                layer = Layer(name=fresh, projections=(projection,), bias=bias, neuron=neuron)
                nodes.append(layer)
            else:
                continue
            name = fresh
    source = Input(shape=(1, 28, 28), timesteps=timesteps)
    network = Network(name="mnist_cnn", input=source, nodes=tuple(nodes))
    network.verify()
    return network


def spikingjelly_runs(x: torch.Tensor, timesteps: int, batch: int) -> dict[str, Run]:
    """Both step modes of SpikingJelly: T passes, or one pass per layer over T·N images."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from spikingjelly.activation_based import functional, layer, neuron

    def node() -> nn.Module:
        return neuron.IFNode(v_threshold=1.0, v_reset=None)

    single = model(node)
    multi = nn.Sequential(
        *(m if isinstance(m, neuron.IFNode) else layer.SeqToANNContainer(m) for m in model(node))
    )
    functional.set_step_mode(multi, "m")

    def step_by_step() -> None:
        for part in x.split(batch):
            functional.reset_net(single)
            total = single(part)
            for _ in range(timesteps - 1):
                total = total + single(part)

    def all_steps() -> None:
        for part in x.split(batch):
            functional.reset_net(multi)
            multi(part.expand(timesteps, *part.shape)).sum(0)

    return {"spikingjelly": step_by_step, "spikingjelly multi-step": all_steps}


def measure(runs: dict[str, Run], repeats: int, tick: Callable[[], None]) -> dict[str, float]:
    """Median seconds of each run; runs take turns, after one warm-up each."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    with torch.inference_mode():
        for repeat in range(repeats + 1):
            for name, function in runs.items():
                start = time.perf_counter()
                function()
                if repeat:
                    seconds[name].append(time.perf_counter() - start)
                tick()
    return {name: statistics.median(times) for name, times in seconds.items()}


def rows_of(images: np.ndarray, timesteps: int, batch: int, repeats: int, tick: Run) -> list[dict]:
    float_model = model()
    x = torch.from_numpy(images).float() / 255
    network = integers(float_model, images, timesteps)

    def forward() -> torch.Tensor:
        return torch.cat([float_model(part) for part in x.split(batch)])

    runs: dict[str, Run] = {
        "golden closed form": lambda: golden.run(network, images, batch=batch),
        "golden step by step": lambda: golden.run(network, images, batch=batch, steps=True),
        "torch float": forward,
        **spikingjelly_runs(x, timesteps, batch),
    }
    seconds = measure(runs, repeats, tick)
    rate = {name: len(images) / value for name, value in seconds.items()}
    other = max(value for name, value in rate.items() if name.startswith("spikingjelly"))
    result = golden.run(network, images)
    with torch.inference_mode():
        agreement = float((forward().argmax(1).numpy() == result.classes).mean()) * 100
    firing = [layer.name for layer in network.layers[:-1]]
    spikes = sum(result.spikes[name].mean() for name in firing)
    common = {"network": "mnist_cnn", "timesteps": timesteps, "samples": len(images)}
    rows = [
        {
            **common,
            "method": name,
            "images_per_second": value,
            "times_spikingjelly": value / other,
            "times_torch_float": value / rate["torch float"],
        }
        for name, value in rate.items()
    ]
    rows[0] |= {
        "neuron": "inverse_leaky",
        "weight_bits": 8,
        "agreement_with_float": agreement,
        "spikes_per_neuron": float(spikes) / sum(result.neurons[name] for name in firing),
        "synaptic_operations": operations_per_sample(result),
    }
    return rows


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="T = 8 only, fewer images and repeats")
    options = parser.parse_args(argv)
    steps = [8] if options.quick else [8, 16]
    samples, batch, repeats = (256, 128, 3) if options.quick else (1024, 256, 7)
    images, kind = images_of(samples)
    console = Console()
    rows: list[dict] = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("measuring", total=len(steps) * (repeats + 1) * 5)
        for timesteps in steps:
            progress.update(task, description=f"T = {timesteps}")
            rows += rows_of(images, timesteps, batch, repeats, lambda: progress.advance(task))
    table = make_table(
        f"MNIST CNN, {len(images)} {kind} images, batch {batch}, "
        f"{torch.get_num_threads()} threads, median of {repeats}",
        ("T", "method", "images/s", "× SpikingJelly", "× torch float"),
        left=("method",),
    )
    for row in rows:
        table.add_row(
            str(row["timesteps"]),
            row["method"],
            f"{row['images_per_second']:,.0f}",
            f"{row['times_spikingjelly']:.2f}",
            f"{row['times_torch_float']:.2f}",
        )
    console.print(table)
    write_json(options.json, {"rows": rows})


if __name__ == "__main__":
    main()
