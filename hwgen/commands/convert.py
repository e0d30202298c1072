"""``hwgen convert``: converts a PyTorch model to a network of integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import click

from hwgen.commands.options import (
    COUNT,
    PATH,
    TRUST,
    TRUST_TEXT,
    ByLayer,
    Fraction,
    Numbers,
    Suggest,
    by_layer,
    json_option,
    option,
)
from hwgen.commands.output import print_json, print_table, progress
from hwgen.commands.terminal import say
from hwgen.conversion.choices import (
    BiasCorrection,
    DecoderKind,
    Effort,
    ErrorNorm,
    NeuronKind,
    Rounding,
    ThresholdRule,
)
from hwgen.conversion.combinations import INPUT_CODES
from hwgen.conversion.methods.registry import METHODS

BY_METHOD = "[default: the method's]"
FEEDBACK = "Method feedback:"
PER_CHANNEL = "one value, or one per channel"


@click.command("convert", short_help="Convert a PyTorch model to a network of integers.")
@click.argument("model")
@option(
    "--weights", PATH, "State dict or checkpoint: .pt, .pth, .bin, .ckpt, .safetensors or .npz."
)
@option(TRUST, bool, TRUST_TEXT, is_flag=True)
@option(
    "--data", PATH, "Calibration images or events: .npz or idx file, or a folder.", required=True
)
@option("--output", PATH, "Folder to write.", None, "-o", required=True)
@option("--dump", PATH, "Folder for the graph after each stage.")
@option("--name", str, "Name of the network.  [default: the model's]")
@option("--samples", COUNT, "Read the first samples of the data only.")
@option(
    "--calibration-images",
    COUNT,
    "Maximum number of images to calibrate on, evenly spread.  [default: 1000; 3000 with "
    "--effort best]",
)
@option(
    "--effort",
    Effort,
    "Convert in every way that the options leave open and keep the closest to the float model, or "
    "in one way.",
    Effort.BEST,
)
@option("--mean", Numbers(), f"Mean of the scaled pixels: {PER_CHANNEL}.")
@option("--std", Numbers(), f"Standard deviation of the scaled pixels: {PER_CHANNEL}.")
@option("--scale", Fraction(), "Factor of a pixel.  [default: 1/255; 1/T for events]")
@option(
    "--timesteps",
    ByLayer(),
    "Length of the spike trains, for all layers or for one; repeatable.  [default: 8; a radix "
    "input has as many as a pixel has bits]",
    multiple=True,
)
@option(
    "--mean-timesteps",
    float,
    "Choose the timesteps of each layer: at most this many on average over the layers that fire.",
)
@option("--weight-bits", int, "Bits of a weight, 2 to 16.", 8)
@option(
    "--method",
    Suggest(list(METHODS)),
    "Conversion method; `hwgen methods` lists them.",
    "spikeconverter",
)
@option(
    "--neuron",
    NeuronKind,
    "Inverse-leaky (radix code), soft reset in two phases or one, hard reset (rate code), or "
    f"time to first spike.  {BY_METHOD}",
)
@option(
    "--leak",
    str,
    "Inverse leak of neuron ilif: 1 < k <= 2, or k - 1 as n/2^m.",
    "2",
    metavar="K or N/2^M",
)
@option(
    "--thresholds",
    ThresholdRule,
    "Smallest conversion error, largest activation, 1, or largest current in a timestep.  "
    f"{BY_METHOD}",
)
@option("--threshold-scale", float, f"Factor of every threshold.  {BY_METHOD}")
@option("--eta", float, f"Share of its threshold in every membrane at the start.  {BY_METHOD}")
@option("--error", ErrorNorm, f"Conversion error that thresholds minimise.  {BY_METHOD}")
@option("--percentile", float, "Use this percentile of the activations as the largest one.")
@option(
    "--channel-scales/--layer-scales",
    bool,
    f"One output scale per channel, or one per layer.  {BY_METHOD}",
)
@option(
    "--bias-correction",
    BiasCorrection,
    f"Correct biases by the mean error of each channel.  {BY_METHOD}",
)
@option(
    "--rounding",
    Rounding,
    "Round each weight to the nearest integer, or fit weights to the calibration data.  [default: "
    "the better one; with --effort fast by timesteps and weight bits]",
)
@option(
    "--finetune",
    click.IntRange(min=0),
    "Train the fused network on the data for its short trains; 0: never.  [default: --effort best "
    "tries it where it may help]",
    metavar="EPOCHS",
)
@option("--finetune-rate", float, "Learning rate of --finetune.", 0.01)
@option("--pixel-bits", int, "Bits of a pixel, 1 to 16.  [default: those of the largest one]")
@option(
    "--input-code",
    Suggest(list(INPUT_CODES)),
    "Code of the input.  [default: the neuron's; poisson for feedback; events for events]",
)
@option(
    "--input-gain",
    int,
    "Poisson input: sixteenths of a spike per timestep for the brightest pixel.",
    16,
)
@option("--input-seed", int, "Poisson input: seed of its random numbers.")
@option("--floor", float, "Single-phase neurons: V_min, in thresholds.")
@option("--drive", float, "Single-phase neurons: L per timestep, in thresholds.", 0.0)
@option("--search-images", int, f"{FEEDBACK} number of images to compare candidates on.", 256)
@option("--search-rounds", int, f"{FEEDBACK} maximum number of rounds over all layers.", 8)
@option("--search-step", float, f"{FEEDBACK} first step of a threshold, in octaves.", 1.0)
@option("--search-stop", float, f"{FEEDBACK} last step of a threshold, in octaves.", 0.25)
@option(
    "--decoder",
    DecoderKind,
    "Source of the logits; `hwgen methods --combinations` lists the legal ones.",
    DecoderKind.MEMBRANE,
)
@option("--temperature", float, "Divisor in a spiking softmax: 1, or up to the timesteps.", 1.0)
@option("--strict", bool, "Warnings are errors.", is_flag=True)
@json_option("figures")
def command(
    model: str,
    weights: Path | None,
    trust_model: bool,
    data: Path,
    output: Path,
    name: str | None,
    samples: int | None,
    timesteps: Sequence[tuple[str, int]],
    finetune: int | None,
    finetune_rate: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Convert MODEL: file.py:factory, or a torch.export program (.pt2). Both are code, and run.

    \b
    hwgen convert model.py:factory --weights w.pt --data train.npz \\
        --timesteps 8 --timesteps conv1=4 -o net
    """
    from hwgen import artefact, datasets, golden
    from hwgen.artefact.claim import claimed
    from hwgen.artefact.network_folder import require_replaceable
    from hwgen.commands.evaluation import print_figures, summarise
    from hwgen.conversion import Finetuning, Provenance, convert, load_model

    chosen, named = by_layer(timesteps, option="--timesteps")
    default = 8 if chosen is None else chosen
    require_replaceable(output)
    click.get_current_context().with_resource(claimed(output))
    dataset = datasets.load(
        data,
        split="train",
        timesteps=named.get("input", default),
        samples=samples,
    )
    loaded = load_model(model, weights, trust_model=trust_model)
    path, _, factory = model.partition(":")
    tuning: Finetuning | Literal[False] | None = None
    if finetune is not None:
        tuning = Finetuning(epochs=finetune, learning_rate=finetune_rate) if finetune else False
    with progress(f"converting {model}") as report:
        network = convert(
            loaded,
            dataset.images,
            labels=dataset.labels,
            timesteps=default,
            layer_timesteps=named,
            name=name or factory or Path(path).stem,
            finetuning=tuning,
            progress=lambda done, of, what: report(f"{done} of {of}: {what}"),
            **{name: value for name, value in options.items() if value is not None},
        )
    artefact.save(network, output)
    checked = dataset.take(1000)  # enough for the printed accuracy
    result = golden.run(network, checked.images)
    figures = summarise(network, result, checked.labels)
    layers = [asdict(row) for row in network.summary().layers]
    if as_json:
        print_json(figures.to_json() | {"folder": str(output), "layers_of_network": layers})
        return
    print_table(
        f"{network.name}: {options['method']}, {options['weight_bits']}-bit weights",
        ("layer", "shape", "neuron", "T", "weights", "thresholds"),
        [tuple(layer.values()) for layer in layers],
        footer=f"written to {output}",
    )
    print_figures(figures)
    if trials := Provenance.read(network.provenance).trials:
        first, *others = (f"{trial.name} ({trial.signal_to_error:.1f} dB)" for trial in trials)
        say(f"kept {first}, the closest to the float model; tried {', '.join(others)}")
