"""LUT4 and block RAM of a layer: the planner's estimate beside yosys' count.

Each layer is synthesised out of context for the ECP5:

    python -m benchmarks.resources                 every layer (about an hour on one core)
    python -m benchmarks.resources conv16 mlp      layers whose names start with these words
    python -m benchmarks.resources --units         each unit of a layer too
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.command import make_parser, write_json
from benchmarks.figures import synthesise_node
from hwgen.boards import Resource
from hwgen.network import (
    DOUBLE,
    Conv2d,
    Flatten,
    Identity,
    Input,
    InputCode,
    InverseLeak,
    InverseLeakyNeuron,
    Layer,
    Linear,
    MaxPool2d,
    Network,
    Projection,
    Readout,
    SoftmaxReadout,
    SoftResetNeuron,
    exponentials,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.cost.area import stage_usage
from hwgen.plan.cost.usage import Usage
from hwgen.plan.units.options import PlanOptions
from hwgen.synthesis.netlist import total

TOLERANCE = 0.15


@dataclass(frozen=True)
class Case:
    """Network, plan options, and the node to synthesise: by default "b", which follows "a"."""

    make: Callable[[], Network]
    options: dict[str, Any] = field(default_factory=dict)
    node: str = "b"


def network(
    *,
    channels: int,
    channels_in: int,
    size: int,
    kernel: int = 3,
    stride: int = 1,
    groups: int = 1,
    timesteps: int = 4,
    weight_bits: int = 8,
    skip: bool = False,
    linear: bool = False,
    rate: bool = False,
    leak: InverseLeak = DOUBLE,
    pixels: int = 3,
    classes: int = 10,
    softmax: bool = False,
) -> Network:
    """Input of ``pixels`` channels, 1×1 layer "a" of ``channels_in``, layer "b", and a readout.

    Weights are random; ``skip`` adds the output of "a" to "b"; ``softmax`` makes the readout a
    spiking softmax.
    """
    rng = np.random.default_rng(3)
    top = (1 << weight_bits - 1) - 1

    def weights(*shape: int) -> np.ndarray:
        return np.clip(np.round(rng.normal(0, top / 3, shape)), -top, top).astype(np.int32)

    def layer(name: str, count: int, *projections: Projection) -> Layer:
        scale = sum(np.abs(p.weights).reshape(count, -1).sum(axis=1).mean() for p in projections)
        threshold = rng.integers(int(scale / 4), int(scale), count).astype(np.int64)
        neuron: SoftResetNeuron | InverseLeakyNeuron
        if rate:
            neuron = SoftResetNeuron(threshold=threshold, timesteps=timesteps, two_phase=False)
        else:
            neuron = InverseLeakyNeuron(threshold=threshold, timesteps=timesteps, leak=leak)
        bias = rng.integers(-int(scale), int(scale), count).astype(np.int64)
        return Layer(name=name, projections=projections, bias=bias, neuron=neuron)

    def conv(source: str, count: int, fan: int, side: int, step: int = 1) -> Conv2d:
        pad = side // 2
        return Conv2d(
            source=source,
            weights=weights(count, fan, side, side),
            padding=(pad, pad, pad, pad) if pad else (0, 0, 0, 0),
            stride=(step, step),
            groups=groups if side == kernel and source == "a" and groups > 1 else 1,
        )

    nodes: list[Any] = [layer("a", channels_in, conv("input", channels_in, pixels, 1))]
    if linear:
        nodes.append(Flatten(name="flat", source="a"))
        nodes.append(
            layer(
                "b",
                channels,
                Linear(source="flat", weights=weights(channels, channels_in * size**2)),
            )
        )
        out, last = 1, "b"
    else:
        projections: list[Projection] = [conv("a", channels, channels_in // groups, kernel, stride)]
        if skip and stride == 1:
            projections.append(Identity(source="a", weights=weights(channels) | 1))
        elif skip:
            projections.append(conv("a", channels, channels_in, 1, stride))
        nodes.append(layer("b", channels, *projections))
        out, last = size // stride, "flat"
        if not rate:
            nodes.append(MaxPool2d(name="pool", source="b", kernel=(2, 2), stride=(2, 2)))
            out //= 2
        nodes.append(Flatten(name="flat", source=nodes[-1].name))
    readout = Linear(source=last, weights=weights(classes, channels * out * out))
    decoder: Any = Readout()
    if softmax:
        decoder = SoftmaxReadout(timesteps=timesteps, shift=5, table=exponentials(0.05))
    zeros = np.zeros(classes, np.int64)
    nodes.append(Layer(name="out", projections=(readout,), bias=zeros, neuron=decoder))
    made = Network(
        name="net",
        input=Input(
            shape=(pixels, size, size),
            timesteps=timesteps,
            code=InputCode.RATE if rate else InputCode.RADIX,
        ),
        nodes=tuple(nodes),
    )
    made.verify()
    return made


def cases() -> Iterator[tuple[str, Case]]:
    """Layers of different shapes, by name."""

    def case(options: dict[str, Any] | None = None, node: str = "b", **sizes: Any) -> Case:
        return Case(lambda: network(**sizes), options or {}, node)

    small: dict[str, Any] = {"channels": 16, "channels_in": 16, "size": 32}
    middle: dict[str, Any] = {"channels": 32, "channels_in": 32, "size": 16}
    large: dict[str, Any] = {"channels": 64, "channels_in": 64, "size": 8}
    for scanners in (1, 2, 3, 4):
        yield f"conv16 s{scanners}", case({"scanners": {"b": scanners}}, **small)
    for lanes in (8, 4):
        yield f"conv16 lanes {lanes}", case({"lanes": {"b": lanes}}, **small)
    for width in (16, 2):
        yield f"conv16 membranes {width}", case({"membrane_lanes": {"b": width}}, **small)
    for bits in (6, 4):
        yield f"conv16 {bits} bits", case({"scanners": {"b": 2}}, weight_bits=bits, **small)
    yield "conv16 T8", case(timesteps=8, **small)
    yield "conv16 skip", case({"scanners": {"b": 2}}, skip=True, **small)
    yield "conv16 time", case({"schedule": "time"}, **small)
    yield "conv16 alternate", case({"pipeline": "alternate"}, **small)
    yield "conv16 rate", case(rate=True, **small)
    for leak in (InverseLeak(n=1, m=1), InverseLeak(n=5, m=3), InverseLeak(n=77, m=7)):
        yield f"conv16 leak {leak}", case(leak=leak, **small)
    yield (
        "conv16 leak membranes 8",
        case({"membrane_lanes": {"b": 8}}, leak=InverseLeak(n=5, m=3), **small),
    )
    yield (
        "first leak",
        case(node="a", leak=InverseLeak(n=5, m=3), channels_in=16, channels=16, size=32),
    )
    yield (
        "readout leak",
        case(
            node="out", channels_in=16, channels=64, size=4, linear=True, leak=InverseLeak(n=5, m=3)
        ),
    )
    yield "conv32 down", case(channels_in=16, channels=32, size=32, stride=2)
    yield "conv32 down skip", case(channels_in=16, channels=32, size=32, stride=2, skip=True)
    yield "conv32 lanes 16", case({"lanes": {"b": 16}}, **middle)
    yield "conv32 lanes 32", case({"lanes": {"b": 32}, "scanners": {"b": 2}}, **middle)
    yield "conv32 skip", case({"lanes": {"b": 16}}, skip=True, **middle)
    yield "conv64 lanes 16", case({"lanes": {"b": 16}}, **large)
    yield "conv64 lanes 32", case({"lanes": {"b": 32}, "scanners": {"b": 2}}, **large)
    yield "conv64 skip", case({"lanes": {"b": 16}}, skip=True, **large)
    yield "pointwise", case({"lanes": {"b": 16}}, kernel=1, **middle)
    yield "depthwise", case({"lanes": {"b": 16}}, groups=32, **middle)
    yield "first", case(pixels=3, channels_in=3, channels=16, size=32)
    yield (
        "linear 128",
        case({"lanes": {"b": 128}}, channels_in=1, channels=128, size=28, linear=True, pixels=1),
    )
    yield "linear 32", case({"lanes": {"b": 32}}, channels_in=16, channels=64, size=4, linear=True)
    yield "readout", case(node="out", channels_in=16, channels=64, size=4, linear=True)
    for classes in (10, 100):
        yield f"softmax {classes}", case(
            node="out", channels_in=16, channels=64, size=4, linear=True, rate=True, timesteps=64,
            softmax=True, classes=classes,
        )  # fmt: skip
    yield "pool", case(node="pool", **middle)
    yield "pool words of 8", case({"membrane_lanes": {"b": 8}}, node="pool", **middle)


def measure(case: Case) -> tuple[Usage, dict[Resource, int], Mapping[str, Any]]:
    """(estimate, synthesised total, synthesised units)."""
    made = case.make()
    plan = make_plan(made, PlanOptions(**case.options))
    stage = next(stage for stage in plan.stages if stage.node == case.node)
    units = synthesise_node(made, plan, case.node)
    return stage_usage(stage), total(units), units


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__)
    parser.add_argument("names", nargs="*", help="only layers whose names start so")
    parser.add_argument("--units", action="store_true", help="print each unit of a layer too")
    arguments = parser.parse_args(argv)
    table = Table("layer", "LUT4 expected", "yosys", "off by", "block RAM expected", "yosys")
    figures: dict[str, Any] = {}
    console = Console()
    for name, case in cases():
        if arguments.names and not any(name.startswith(start) for start in arguments.names):
            continue
        expected, used, units = measure(case)
        off = expected.lut4 / used[Resource.LUT4] - 1
        table.add_row(
            name,
            f"{expected.lut4:,.0f}",
            f"{used[Resource.LUT4]:,}",
            f"[{'red' if abs(off) > TOLERANCE else 'green'}]{off:+.1%}[/]",
            f"{expected.block_rams}",
            f"{used[Resource.BLOCK_RAM]}",
        )
        figures[name] = {"expected": expected.lut4, "used": used, "units": units}
        console.print(f"{name}: {expected.lut4:,.0f} expected, {used[Resource.LUT4]:,} used")
        if arguments.units:
            for unit, counts in sorted(units.items()):
                console.print(f"    {unit or 'layer'}: {dict(counts)}")
    console.print(table)
    write_json(arguments.json, figures)


if __name__ == "__main__":
    main()
