"""How a layer's cost grows with lanes, channels, timesteps and spike density.

    python -m benchmarks.scaling [--json FILE] [--plot FILE.svg] [--quick]

The layer is a 3×3 convolution with 16 channels in and out, 32×32 pixels and T = 4 unless a row says
otherwise. Its LUT4 and block RAM are yosys' count for the ECP5, out of context. Its interval is
that of the cycle model, for random spikes, without stalls at input and output; `ideal` is the
number of cycles if no lane ever waits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from benchmarks.command import make_parser, require_matplotlib, write_json
from benchmarks.figures import synthesise_node
from benchmarks.table import records_table
from hwgen.boards import Resource
from hwgen.network import Conv2d, Input, InverseLeakyNeuron, Layer, Network, Readout
from hwgen.plan.assembly import make_plan
from hwgen.plan.cost.activity import window_costs
from hwgen.plan.timing.predict import layer_processes
from hwgen.plan.timing.process import Link, Process, run
from hwgen.plan.timing.synapses import PathTimes
from hwgen.plan.timing.window import Window, write
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.options import PlanOptions
from hwgen.synthesis.netlist import total

SWEEPS = ("lanes", "channels", "T", "density", "scanners")
DENSITY = 0.16  # spikes per neuron and timestep in a converted ResNet-20


@dataclass(frozen=True)
class Point:
    """One layer of a sweep."""

    sweep: str
    lanes: int = 16
    channels: int = 16
    timesteps: int = 4
    density: float = DENSITY
    scanners: int = 1
    size: int = 32


def points(*, quick: bool) -> list[Point]:
    lanes = (4, 16) if quick else (1, 4, 16, 64, 128)
    channels = (8, 16) if quick else (8, 16, 32, 64)
    steps = (2, 4) if quick else (1, 2, 4, 8)
    densities = (0.04, 0.16) if quick else (0.0, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
    scanners = (1, 2) if quick else (1, 2, 4)
    return [
        *(Point("lanes", lanes=n, channels=128, size=8) for n in lanes),
        *(Point("channels", channels=n) for n in channels),
        *(Point("T", timesteps=n) for n in steps),
        *(Point("density", density=d) for d in densities),
        *(Point("scanners", scanners=n) for n in scanners),
    ]


def network(point: Point) -> Network:
    """Network of one layer before, the layer itself, and a readout."""
    rng = np.random.default_rng(0)
    channels, size = point.channels, point.size

    def layer(name: str, source: str, inputs: int) -> Layer:
        weights = rng.integers(-127, 128, (channels, inputs, 3, 3)).astype(np.int32)
        conv = Conv2d(source=source, weights=weights, padding=(1, 1, 1, 1))
        bias = rng.integers(-1000, 1000, channels).astype(np.int64)
        threshold = rng.integers(2000, 4000, channels).astype(np.int64)
        neuron = InverseLeakyNeuron(threshold=threshold, timesteps=point.timesteps)
        return Layer(name=name, projections=(conv,), bias=bias, neuron=neuron)

    everything = Conv2d(source="layer", weights=np.ones((1, channels, size, size), dtype=np.int32))
    zero = np.zeros(1, dtype=np.int64)
    readout = Layer(name="out", projections=(everything,), bias=zero, neuron=Readout())
    source = Input(shape=(1, size, size), timesteps=point.timesteps)
    nodes = (layer("before", "input", 1), layer("layer", "before", channels), readout)
    return Network(name="n", input=source, nodes=nodes)


def interval(plan: HardwarePlan, stage: LayerPlan, density: float, samples: int = 2) -> float:
    """Mean cycles between the samples of a layer that never stalls."""
    (path,) = stage.paths
    source = plan.stream(path.source)
    rng = np.random.default_rng(1)
    shape = (source.timesteps, *source.shape)
    trains = [(rng.random(shape) < density).astype(np.uint8) for _ in range(samples)]
    given, out, window = Link(), Link(), Window(path.window)
    given.ready = [0] * (samples * source.words_per_sample)
    costs = [window_costs(sample, source, path) for sample in trains]
    words = samples * stage.output.words_per_sample

    def take_all() -> Process:
        for word in range(words):
            while len(out.ready) <= word:
                yield len(out.taken)
            out.taken.append(max(out.ready[word], out.taken[-1] + 1 if word else 0))

    times = [PathTimes(path, window, costs)]
    run([write([window], given, samples), *layer_processes(stage, samples, times, out), take_all()])
    ends = out.taken[stage.output.words_per_sample - 1 :: stage.output.words_per_sample]
    return (ends[-1] - ends[0]) / (samples - 1)


def ideal(plan: HardwarePlan, stage: LayerPlan, density: float) -> float:
    """Cycles of the layer's additions if all lanes of all scanners always work."""
    (path,) = stage.paths
    shape = plan.stream(path.source).shape
    taps = (3 * shape[1] - 2) ** 2  # of all output pixels, without the padding
    spikes = density * path.window.timesteps * shape[0] * taps
    return spikes * stage.fan_out / (stage.lanes * path.window.scanners)


def measure(point: Point, synthesised: dict[Point, dict[Resource, int]]) -> dict[str, Any]:
    net = network(point)
    lanes = {"layer": min(point.lanes, point.channels), None: 16}
    scanners = {"layer": point.scanners, None: 1}
    plan = make_plan(net, PlanOptions(lanes=lanes, scanners=scanners, counters=False))
    stage = next(stage for stage in plan.layers if stage.node == "layer")
    hardware = replace(point, sweep="", density=0.0)
    if hardware not in synthesised:
        synthesised[hardware] = total(synthesise_node(net, plan, "layer"))
    used = synthesised[hardware]
    cycles, best = interval(plan, stage, point.density), ideal(plan, stage, point.density)
    return asdict(point) | {
        "lanes": stage.lanes,
        "membrane_lanes": stage.membrane_lanes,
        "lut4": used[Resource.LUT4],
        "lut4_per_lane": round(used[Resource.LUT4] / stage.lanes, 1),
        "block_ram": used[Resource.BLOCK_RAM],
        "interval_cycles": round(cycles, 1),
        "ideal_cycles": round(best, 1),
        "lost_percent": round(100 * (1 - best / cycles), 2),
    }


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """LUT4, block RAM and interval of each sweep."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "hwgen"
    import matplotlib.pyplot as plt

    sweeps = list(dict.fromkeys(row["sweep"] for row in rows))
    figure, axes = plt.subplots(
        3, len(sweeps), figsize=(16, 8), layout="constrained", squeeze=False
    )
    for column, sweep in enumerate(sweeps):
        key = "timesteps" if sweep == "T" else sweep
        points = [row for row in rows if row["sweep"] == sweep]
        x = [row[key] for row in points]
        for line, what in enumerate(("lut4", "block_ram", "interval_cycles")):
            axis = axes[line][column]
            axis.plot(x, [row[what] for row in points], marker="o", label=what)
            if what == "interval_cycles":
                axis.plot(x, [row["ideal_cycles"] for row in points], ":", label="ideal")
                axis.legend()
            if sweep in ("lanes", "channels"):
                axis.set_xscale("log", base=2)
                if what != "block_ram":
                    axis.set_yscale("log")
            else:
                axis.set_ylim(bottom=0)
            axis.grid(alpha=0.3)
            axis.set_xlabel(sweep)
            if column == 0:
                axis.set_ylabel(what.replace("_", " "))
    figure.savefig(path, metadata={"Date": None})


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__, quick="two points of each sweep")
    parser.add_argument("--plot", type=Path, help="plot the rows to this file")
    parser.add_argument("--sweep", nargs="+", choices=SWEEPS, default=SWEEPS, help="only these")
    arguments = parser.parse_args(argv)
    require_matplotlib(parser, arguments.plot)
    console = Console(stderr=True)
    synthesised: dict[Point, dict[Resource, int]] = {}
    chosen = [p for p in points(quick=arguments.quick) if p.sweep in arguments.sweep]
    rows = []
    for point in track(chosen, console=console):
        rows.append(measure(point, synthesised))
        # After each point: the whole takes long
        write_json(arguments.json, {"rows": rows})
    Console(width=200).print(records_table("3×3 convolution, 8-bit weights, ECP5", rows))
    if arguments.plot:
        plot(rows, arguments.plot)


if __name__ == "__main__":
    main()
