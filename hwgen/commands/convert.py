"""``hwgen convert``: a PyTorch model becomes a network of integers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwgen.commands.options import ByLayer, Fraction, Numbers, Suggest, by_layer
from hwgen.commands.output import print_json, print_table, progress

if TYPE_CHECKING:
    from hwgen.network import Network

# Those of hwgen.convert, which is not imported for --help; a test compares them.
METHODS = [
    "spikeconverter",
    "ecc",
    "threshold_relu",
    "ttfs",
    "weight_norm",
    "threshold_balancing",
    "rmp",
    "feedback",
]
NEURONS = ["ilif", "if2", "if", "if_hard", "ttfs"]
THRESHOLDS = ["error", "maximum", "one", "current"]
ERRORS = ["absolute", "squared"]
CORRECTIONS = ["none", "mean"]
INPUT_CODES = ["radix", "rate", "ttfs", "poisson", "direct", "events"]
DECODERS = ["membrane", "spike_count", "first_spike", "softmax"]


@click.command("convert", short_help="Turn a PyTorch model into a network of integers.")
@click.argument("model")
@click.option("--weights", type=click.Path(path_type=Path), help=".pt, .safetensors or .npz.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Calibration images or events: .npz or idx folder.",
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder.")
@click.option("--name", help="Name of the network; the model's, if not given.")
@click.option(
    "--samples", type=click.IntRange(min=1), help="Calibrate with the first ones only (1,000 do)."
)
@click.option("--mean", type=Numbers(), help="Of the scaled pixels, one or one a channel.")
@click.option("--std", type=Numbers(), help="Likewise.")
@click.option(
    "--scale",
    type=Fraction(),
    help="Of a pixel.  [default: 1/255, and 1/T of events]",
)
@click.option(
    "--timesteps",
    type=ByLayer(),
    multiple=True,
    help="Length of the spike trains, of all and of single layers; repeatable.  [default: 8]",
)
@click.option("--weight-bits", default=8, show_default=True, help="2 to 16.")
@click.option(
    "--neuron",
    type=Suggest(NEURONS),
    help="Inverse-leaky (radix code), soft reset in two phases or one (rate code), or time to "
    "first spike; the method's, if not given.",
)
@click.option(
    "--leak",
    metavar="K or N/2^M",
    help="Inverse leak of neuron ilif: k above 1, up to 2, or k - 1 as n/2^m.  [default: 2]",
)
@click.option(
    "--method",
    type=Suggest(METHODS),
    default="spikeconverter",
    show_default=True,
    help="`hwgen methods` tells more.",
)
@click.option(
    "--thresholds",
    type=Suggest(THRESHOLDS),
    help="Least conversion error, largest activation, 1 everywhere, or largest current of a "
    "timestep; the method's, if not given.",
)
@click.option("--threshold-scale", type=float, help="What thresholds are multiplied by.")
@click.option("--eta", type=float, help="Share of a threshold that membranes get at the start.")
@click.option(
    "--error",
    type=Suggest(ERRORS),
    help="What the choice of thresholds minimises; the method's, if not given.",
)
@click.option("--percentile", type=float, help="Take thresholds from this percentile instead.")
@click.option("--channel-scales", is_flag=True, help="One output scale a channel, not a layer.")
@click.option("--bias-correction", type=Suggest(CORRECTIONS), default="none", show_default=True)
@click.option(
    "--finetune",
    type=click.IntRange(min=1),
    metavar="EPOCHS",
    help="Train the converted network on the data first; for trains of up to 4 steps.",
)
@click.option("--finetune-rate", type=float, default=0.01, show_default=True)
@click.option(
    "--input-code",
    type=Suggest(INPUT_CODES),
    help="The neuron's (feedback: poisson), if not given; of address events always theirs.",
)
@click.option("--input-gain", type=int, help="Of Poisson: sixteenths of a spike for white.")
@click.option("--input-seed", type=int, help="Of Poisson.")
@click.option("--floor", type=float, help="V_min of single-phase neurons, in thresholds.")
@click.option("--drive", type=float, help="L of single-phase neurons, in thresholds.")
@click.option("--search-images", type=int, help="Of method feedback: images to judge by.")
@click.option("--search-rounds", type=int, help="Of method feedback: rounds over all layers.")
@click.option("--search-step", type=float, help="Of method feedback: first step, in octaves.")
@click.option("--search-stop", type=float, help="Of method feedback: last step, in octaves.")
@click.option(
    "--decoder",
    type=Suggest(DECODERS),
    default="membrane",
    show_default=True,
    help="What the logits are; `hwgen methods --combinations` lists which go with which neurons.",
)
@click.option("--temperature", type=float, help="Of a spiking softmax: 1, or up to the timesteps.")
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
    """Convert MODEL, which is file.py:factory or a torch.export program .pt2.

    \b
    hwgen convert model.py:factory --weights w.pt --data train.npz \\
        --timesteps 8 --timesteps conv1=4 -o net
    """
    from hwgen import artefact, golden
    from hwgen.commands.evaluate import print_figures, summarise
    from hwgen.conversion import Finetuning, convert, load_model
    from hwgen.datasets import images as datasets

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
    with progress(f"converting {model}") as told:
        network = convert(
            loaded,
            dataset.images,
            labels=dataset.labels,
            timesteps=default,
            layer_timesteps=named,
            name=name or _name(model),
            finetuning=tuning,
            progress=lambda done, of, what: told(f"{done} of {of}: {what}"),
            **options,
        )
    artefact.save(network, output)
    checked = dataset.take(_CHECKED_IMAGES)
    result = golden.run(network, checked.images)
    figures = summarise(network, result, checked.labels)
    if as_json:
        print_json(figures | {"folder": str(output), "layers_of_network": _layers(network)})
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
    """What each layer became."""
    from hwgen.network import Decoder

    train_types = network.train_types()
    rows = []
    for layer in network.layers:
        neuron = layer.neuron
        fires = not isinstance(neuron, Decoder)
        rows.append(
            {
                "layer": layer.name,
                "shape": "×".join(map(str, train_types[layer.name].shape)),
                "neuron": type(neuron).__name__,
                "timesteps": train_types[layer.name].timesteps if fires else None,
                "weights": sum(projection.weights.size for projection in layer.projections),
                "thresholds": None if isinstance(neuron, Decoder) else _span(neuron.threshold),
            }
        )
    return rows


def _span(values: Any) -> str:
    low, high = int(values.min()), int(values.max())
    return f"{low:,}" if low == high else f"{low:,} … {high:,}"
