"""``hwgen demo``: the whole line on scikit-learn's digits, in a few minutes."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from hwgen.commands.output import note, print_json, print_table, progress

BOARD = "ulx3s-85f"


@click.command("demo", short_help="All of it on a small real data set.")
@click.option(
    "-o",
    "--output",
    default="out/demo",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where data, weights, network and build folder go.",
)
@click.option("--timesteps", type=click.IntRange(1, 16), default=4, show_default=True)
@click.option(
    "--samples",
    type=click.IntRange(2, 360),
    default=20,
    show_default=True,
    help="Digits that are simulated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(output: Path, timesteps: int, samples: int, as_json: bool) -> None:
    """Train a small CNN on digits, convert it, and compare its Verilog with the golden model.

    Then go on with what it leaves: `hwgen build out/demo/build`.
    """
    started = time.monotonic()
    figures = run(output, timesteps=timesteps, samples=samples)
    figures["seconds"] = round(time.monotonic() - started, 1)
    if as_json:
        print_json(figures)
        return
    _print(figures, output)


def run(output: Path, *, timesteps: int, samples: int) -> dict[str, Any]:
    """The line from training to simulation; gives its figures, accuracies in per cent."""
    from hwgen import artefact, boards, golden
    from hwgen.conversion import convert
    from hwgen.generation.generator import generate

    digits = _example("digits")
    training, test = digits.digits_data()
    with progress(f"training a CNN on {len(training[0]):,} digits"):
        model = digits.train(*training)
        digits.write(output, model)
    float_accuracy = digits.accuracy(model, *test)
    with progress("converting it"):
        network = convert(
            model, training[0], labels=training[1], timesteps=timesteps, name="digits"
        )
        artefact.save(network, output / "net")
    with progress(f"golden model on {len(test[0]):,} digits"):
        result = golden.run(network, test[0])
    firing = [layer.name for layer in network.layers if layer.name in result.spikes]
    neurons = sum(result.neurons[name] for name in firing)
    spikes = sum(float(result.spikes[name].mean()) for name in firing)
    with progress(f"generating Verilog for {BOARD}"):
        build = generate(network, board=BOARD).write(output / "build")
    with progress(f"simulating {samples} digits with Verilator") as told:
        report = build.simulate(test[0], labels=test[1], samples=samples, progress=told)
    hz = boards.load(BOARD).default_hz
    assert report.latency_cycles is not None
    assert report.interval_cycles is not None  # there are two samples at least
    return {
        "network": network.name,
        "timesteps": timesteps,
        "test_images": len(test[0]),
        "float_accuracy": float_accuracy,
        "accuracy": 100 * float((result.classes == test[1]).mean()),
        "spikes_per_neuron": spikes / neurons,
        "synaptic_operations": sum(
            float(counts.mean()) for counts in result.synaptic_operations.values()
        ),
        "simulator": report.simulator,
        "bit_exact_samples": report.samples if report.bit_exact else 0,
        "latency_cycles": report.latency_cycles,
        "predicted_latency_cycles": report.predicted_latency_cycles,
        "interval_cycles": report.interval_cycles,
        "predicted_interval_cycles": report.predicted_interval_cycles,
        "board": BOARD,
        "clock_mhz": hz / 1e6,
        "latency_us": report.latency_cycles / hz * 1e6,
        "results_per_second": hz / report.interval_cycles,
    }


def _example(name: str) -> ModuleType:
    import importlib.util

    from hwgen.resources import resource_dir

    spec = importlib.util.spec_from_file_location(name, resource_dir("examples") / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _print(figures: dict[str, Any], output: Path) -> None:
    at = f"at {figures['clock_mhz']:g} MHz on {figures['board']}"
    rows: list[tuple[str, object, object]] = [
        ("float accuracy, %", f"{figures['float_accuracy']:.2f}", None),
        ("spiking accuracy, %", f"{figures['accuracy']:.2f}", None),
        ("timesteps", figures["timesteps"], None),
        ("spikes per neuron", figures["spikes_per_neuron"], None),
        ("synaptic operations", figures["synaptic_operations"], None),
        ("digits simulated bit-exact", figures["bit_exact_samples"], None),
        ("latency, cycles", figures["latency_cycles"], figures["predicted_latency_cycles"]),
        ("interval, cycles", figures["interval_cycles"], figures["predicted_interval_cycles"]),
        (f"latency, µs {at}", figures["latency_us"], None),
        (f"results per second {at}", figures["results_per_second"], None),
    ]
    print_table(
        f"digits: {figures['test_images']:,} test images",
        ("", "measured", "predicted"),
        rows,
        footer="the clock is the board's target; `hwgen build` tells whether it is met",
    )
    note(f"{figures['seconds']:.0f} s; go on with: hwgen build {output / 'build'}")
