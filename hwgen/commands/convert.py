"""``hwgen convert``: converts a PyTorch model to a network of integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwgen.commands.options import ByLayer, Fraction, Numbers, Suggest, by_layer
from hwgen.commands.output import print_json, print_table, progress
from hwgen.conversion.choices import (
    BiasCorrection,
    DecoderKind,
    ErrorNorm,
    NeuronKind,
    Rounding,
    ThresholdRule,
)
from hwgen.conversion.combinations import INPUT_CODES
from hwgen.conversion.methods.registry import METHODS

if TYPE_CHECKING:
    from hwgen.network import Network


@click.command("convert", short_help="Convert a PyTorch model to a network of integers.")
@click.argument("model")
@click.option("--weights", type=click.Path(path_type=Path), help=".pt, .safetensors or .npz.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Calibration images or events: .npz file or idx folder.",
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to write."
)
@click.option(
    "--dump", type=click.Path(path_type=Path), help="Folder for the graph after each stage."
)
@click.option("--name", help="Name of the network.  [default: the model's]")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    help="Calibrate with the first samples only; 1,000 are enough.",
)
@click.option(
    "--mean", type=Numbers(), help="Mean of the scaled pixels: one value, or one per channel."
)
@click.option(
    "--std",
    type=Numbers(),
    help="Standard deviation of the scaled pixels: one value, or one per channel.",
)
@click.option(
    "--scale", type=Fraction(), help="Factor of a pixel.  [default: 1/255; 1/T for events]"
)
@click.option(
    "--timesteps",
    type=ByLayer(),
    multiple=True,
    help="Length of the spike trains, for all layers or for one; repeatable.  [default: 8]",
)
@click.option("--weight-bits", default=8, show_default=True, help="Bits of a weight, 2 to 16.")
@click.option(
    "--method",
    type=Suggest(list(METHODS)),
    default="spikeconverter",
    show_default=True,
    help="Conversion method; `hwgen methods` lists them.",
)
@click.option(
    "--neuron",
    type=Suggest(NeuronKind.words()),
    help="Inverse-leaky (radix code), soft reset in two phases or one, hard reset (rate code), or "
    "time to first spike.  [default: the method's]",
)
@click.option(
    "--leak",
    metavar="K or N/2^M",
    default="2",
    show_default=True,
    help="Inverse leak of neuron ilif: 1 < k <= 2, or k - 1 as n/2^m.",
)
@click.option(
    "--thresholds",
    type=Suggest(ThresholdRule.words()),
    help="Smallest conversion error, largest activation, 1, or largest current in a timestep.  "
    "[default: the method's]",
)
@click.option(
    "--threshold-scale", type=float, help="Factor of every threshold.  [default: the method's]"
)
@click.option(
    "--eta",
    type=float,
    help="Share of its threshold in every membrane at the start.  [default: the method's]",
)
@click.option(
    "--error",
    type=Suggest(ErrorNorm.words()),
    help="Conversion error that thresholds minimise.  [default: the method's]",
)
@click.option(
    "--percentile", type=float, help="Use this percentile of the activations as the largest one."
)
@click.option("--channel-scales", is_flag=True, help="One output scale per channel, not per layer.")
@click.option(
    "--bias-correction",
    type=Suggest(BiasCorrection.words()),
    default="none",
    show_default=True,
    help="Correct biases by the mean error of each channel.",
)
@click.option(
    "--rounding",
    type=Suggest(Rounding.words()),
    default="nearest",
    show_default=True,
    help="Round each weight to the nearest integer, or fit weights to the calibration data.",
)
@click.option(
    "--finetune",
    type=click.IntRange(min=1),
    metavar="EPOCHS",
    help="Train the fused network on the data first; for trains of up to 4 timesteps.",
)
@click.option(
    "--finetune-rate",
    type=float,
    default=0.01,
    show_default=True,
    help="Learning rate of --finetune.",
)
@click.option(
    "--input-code",
    type=Suggest(list(INPUT_CODES)),
    help="Code of the input.  [default: the neuron's; poisson for feedback; events for events]",
)
@click.option(
    "--input-gain",
    type=int,
    default=16,
    show_default=True,
    help="Poisson input: sixteenths of a spike per timestep for the brightest pixel.",
)
@click.option("--input-seed", type=int, help="Poisson input: seed of its random numbers.")
@click.option("--floor", type=float, help="Single-phase neurons: V_min, in thresholds.")
@click.option(
    "--drive",
    type=float,
    default=0.0,
    show_default=True,
    help="Single-phase neurons: L per timestep, in thresholds.",
)
@click.option(
    "--search-images",
    type=int,
    default=256,
    show_default=True,
    help="Method feedback: number of images to compare candidates on.",
)
@click.option(
    "--search-rounds",
    type=int,
    default=8,
    show_default=True,
    help="Method feedback: maximum number of rounds over all layers.",
)
@click.option(
    "--search-step",
    type=float,
    default=1.0,
    show_default=True,
    help="Method feedback: first step of a threshold, in octaves.",
)
@click.option(
    "--search-stop",
    type=float,
    default=0.25,
    show_default=True,
    help="Method feedback: last step of a threshold, in octaves.",
)
@click.option(
    "--decoder",
    type=Suggest(DecoderKind.words()),
    default="membrane",
    show_default=True,
    help="Source of the logits; `hwgen methods --combinations` lists the legal ones.",
)
@click.option(
    "--temperature",
    type=float,
    default=1.0,
    show_default=True,
    help="Divisor in a spiking softmax: 1, or up to the timesteps.",
)
@click.option("--json", "as_json", is_flag=True, help="Print figures as JSON.")
def command(
    model: str,
    weights: Path | None,
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
    """Convert MODEL: file.py:factory, or a torch.export program (.pt2).

    \b
    hwgen convert model.py:factory --weights w.pt --data train.npz \\
        --timesteps 8 --timesteps conv1=4 -o net
    """
    from hwgen import artefact, datasets, golden
    from hwgen.commands.evaluate import print_figures, summarise
    from hwgen.conversion import Finetuning, convert, load_model

    default, named = by_layer(timesteps, option="--timesteps")
    default = 8 if default is None else default
    dataset = datasets.load(
        data,
        split="train" if data.is_dir() else None,
        timesteps=named.get("input", default),
        samples=samples,
    )
    loaded = load_model(model, weights)
    tuning = Finetuning(epochs=finetune, learning_rate=finetune_rate) if finetune else None
    with progress(f"converting {model}") as report:
        network = convert(
            loaded,
            dataset.images,
            labels=dataset.labels,
            timesteps=default,
            layer_timesteps=named,
            name=name or _name(model),
            finetuning=tuning,
            progress=lambda done, of, what: report(f"{done} of {of}: {what}"),
            **{name: value for name, value in options.items() if value is not None},
        )
    artefact.save(network, output)
    checked = dataset.take(_CHECKED_IMAGES)
    result = golden.run(network, checked.images)
    figures = summarise(network, result, checked.labels)
    if as_json:
        print_json(
            figures.to_json() | {"folder": str(output), "layers_of_network": _layers(network)}
        )
        return
    print_table(
        f"{network.name}: {options['method']}, {options['weight_bits']}-bit weights",
        ("layer", "shape", "neuron", "T", "weights", "thresholds"),
        [tuple(layer.values()) for layer in _layers(network)],
        footer=f"written to {output}",
    )
    print_figures(figures)


_CHECKED_IMAGES = 1000


def _name(model: str) -> str:
    path, _, factory = model.partition(":")
    return factory or Path(path).stem


def _layers(network: Network) -> list[dict[str, Any]]:
    """The rows of the table of layers, for JSON too."""
    return [asdict(row) for row in network.summary().layers]
