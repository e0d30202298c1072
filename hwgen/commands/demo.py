"""``hwgen demo``: from training to simulation on scikit-learn's digits, in a few minutes."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from hwgen.commands.options import PATH, json_option, option
from hwgen.commands.output import print_json, print_table, progress
from hwgen.commands.terminal import note

BOARD = "ulx3s-85f"


@click.command("demo", short_help="Run every step on a small real data set.")
@option("--output", PATH, "Folder for data, weights, network and build folder.", "out/demo", "-o")
@option("--timesteps", click.IntRange(1, 16), "Timesteps of the spiking network.", 4)
@option("--samples", click.IntRange(2, 360), "Number of digits to simulate.", 20)
@option("--force", bool, "Replace a build folder that is placed and routed.", is_flag=True)
@json_option("the figures")
def command(output: Path, timesteps: int, samples: int, force: bool, as_json: bool) -> None:
    """Train a small CNN on digits, convert it, and compare its Verilog with the golden model.

    The command leaves a build folder that can be placed and routed: `hwgen build out/demo/build`.
    """
    from hwgen.artefact import network_folder
    from hwgen.artefact.claim import claimed
    from hwgen.generation import target_folder

    network_folder.require_replaceable(output / "net")
    target_folder.require_replaceable(output / "build", force=force)
    with claimed(output / "net"), claimed(output / "build"):
        figures = run(output, timesteps=timesteps, samples=samples)
    if as_json:
        print_json(asdict(figures))
    else:
        _print(figures, output)


@dataclass(frozen=True, kw_only=True)
class DemoFigures:
    """Figures of the demonstration: accuracies in per cent, counts per image."""

    network: str
    timesteps: int
    test_images: int
    float_accuracy: float
    accuracy: float
    spikes_per_neuron: float
    synaptic_operations: float
    simulator: str
    bit_exact_samples: int
    latency_cycles: int
    predicted_latency_cycles: float | None
    interval_cycles: float
    predicted_interval_cycles: float | None
    board: str
    clock_mhz: float
    latency_us: float
    results_per_second: float
    seconds: float


def run(output: Path, *, timesteps: int, samples: int) -> DemoFigures:
    """Train, convert, generate and simulate; everything is written to ``output``."""
    from hwgen import artefact, boards, golden
    from hwgen.commands.evaluate import keep
    from hwgen.commands.evaluation import summarise
    from hwgen.conversion import convert
    from hwgen.conversion.frontend.model_files import run_file
    from hwgen.generation import generate
    from hwgen.resources import resource_dir

    started = time.monotonic()
    digits = run_file(resource_dir("examples") / "digits.py")
    training, (images, labels) = digits.digits_data()
    with progress(f"training a CNN on {len(training[0]):,} digits"):
        model = digits.train(*training)
        digits.write(output, model)
    with progress("converting it"):
        network = convert(
            model, training[0], labels=training[1], timesteps=timesteps, name="digits"
        )
        artefact.save(network, output / "net")
    with progress(f"running the golden model on {len(images):,} digits"):
        evaluation = summarise(network, golden.run(network, images), labels)
    with progress(f"generating Verilog for {BOARD}"):
        build = generate(network, board=BOARD).write(output / "build", force=True)
    for folder in (output / "net", output / "build"):
        keep(evaluation, network, folder, data="test.npz")
    with progress(f"simulating {samples} digits with Verilator") as show_progress:
        report = build.simulate(images, labels=labels, samples=samples, progress=show_progress)
    hz = boards.load(BOARD).default_hz
    assert evaluation.accuracy is not None
    assert report.latency_cycles is not None
    assert report.interval_cycles is not None  # there are at least two samples
    return DemoFigures(
        network=network.name,
        timesteps=timesteps,
        test_images=len(images),
        float_accuracy=digits.accuracy(model, images, labels),
        accuracy=evaluation.accuracy,
        spikes_per_neuron=evaluation.spikes_per_neuron,
        synaptic_operations=evaluation.synaptic_operations,
        simulator=report.simulator,
        bit_exact_samples=report.samples if report.bit_exact else 0,
        latency_cycles=report.latency_cycles,
        predicted_latency_cycles=report.predicted_latency_cycles,
        interval_cycles=report.interval_cycles,
        predicted_interval_cycles=report.predicted_interval_cycles,
        board=BOARD,
        clock_mhz=hz / 1e6,
        latency_us=report.latency_cycles / hz * 1e6,
        results_per_second=hz / report.interval_cycles,
        seconds=round(time.monotonic() - started, 1),
    )


def _print(figures: DemoFigures, output: Path) -> None:
    at = f"at {figures.clock_mhz:g} MHz on {figures.board}"
    rows: list[tuple[str, object, object]] = [
        ("float accuracy, %", f"{figures.float_accuracy:.2f}", None),
        ("spiking accuracy, %", f"{figures.accuracy:.2f}", None),
        ("timesteps", figures.timesteps, None),
        ("spikes per neuron", figures.spikes_per_neuron, None),
        ("synaptic operations", figures.synaptic_operations, None),
        ("digits simulated bit-exact", figures.bit_exact_samples, None),
        ("latency, cycles", figures.latency_cycles, figures.predicted_latency_cycles),
        ("interval, cycles", figures.interval_cycles, figures.predicted_interval_cycles),
        (f"latency, µs {at}", figures.latency_us, None),
        (f"results per second {at}", figures.results_per_second, None),
    ]
    print_table(
        f"digits: {figures.test_images:,} test images",
        ("", "measured", "predicted"),
        rows,
        footer="The clock is the board's target; `hwgen build` shows whether it is met.",
    )
    note(f"{figures.seconds:.0f} s; next: hwgen build {output / 'build'}")
