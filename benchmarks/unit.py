"""Cost of a layer processing unit on an ECP5: LUT4 per lane, by module, and its clock.

The layer is the heaviest kind of a CIFAR ResNet: 3×3, 16 to 16 channels on 32×32 pixels, T = 4,
random 8-bit weights. ``--place`` also places and routes it out of context, with registered ports.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from amaranth import Cat, Module, Signal
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from rich.console import Console

from benchmarks.command import make_parser, write_json
from benchmarks.table import make_table, text
from hwgen import boards
from hwgen.generation.design import TEMPLATES
from hwgen.generation.verilog import to_verilog
from hwgen.network import Conv2d, Input, InverseLeakyNeuron, Layer, Network, Readout
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer import LayerPlan
from hwgen.plan.units.layer_constants import layer_constants
from hwgen.plan.units.options import PlanOptions
from hwgen.resources import resource_dir
from hwgen.rtl.layer import LayerUnit
from hwgen.synthesis import netlist_passes as registers
from hwgen.synthesis.families import family_of
from hwgen.synthesis.tools import run

BOARD = boards.load("ulx3s-85f")

COSTS = {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6}
"""LUT4 per cell: two for a carry cell; four for 16 × 4 bits of LUT RAM, and two to write them."""
COUNTED = {"DP16KD": "block_ram", "TRELLIS_FF": "ff"}


def network(*, channels: int, size: int, timesteps: int) -> Network:
    """Three layers; the middle one is measured."""
    rng = np.random.default_rng(0)

    def layer(name: str, source: str, inputs: int) -> Layer:
        weights = rng.integers(-127, 128, (channels, inputs, 3, 3)).astype(np.int32)
        conv = Conv2d(source=source, weights=weights, padding=(1, 1, 1, 1))
        bias = rng.integers(-1000, 1000, channels).astype(np.int64)
        threshold = rng.integers(2000, 4000, channels).astype(np.int64)
        neuron = InverseLeakyNeuron(threshold=threshold, timesteps=timesteps)
        return Layer(name=name, projections=(conv,), bias=bias, neuron=neuron)

    ones = np.ones((1, channels, size, size), dtype=np.int32)
    readout = Layer(
        name="out",
        projections=(Conv2d(source="measured", weights=ones),),
        bias=np.zeros(1, dtype=np.int64),
        neuron=Readout(),
    )
    nodes = (layer("first", "input", 3), layer("measured", "first", channels), readout)
    source = Input(shape=(3, size, size), timesteps=timesteps)
    return Network(name="n", input=source, nodes=nodes)


def make_unit(net: Network, plan: HardwarePlan) -> tuple[LayerUnit, LayerPlan]:
    stage = next(stage for stage in plan.layers if stage.node == "measured")
    return LayerUnit(plan=stage, constants=layer_constants(net, plan)["measured"]), stage


class Registered(wiring.Component):
    """Unit with a register at each port, so that only its own paths are timed."""

    def __init__(self, unit: LayerUnit) -> None:
        self.unit = unit
        ports: dict[bool, list[Value]] = {True: [], False: []}
        for _, member, value in unit.signature.flatten(unit):
            ports[member.flow is In].append(Value.cast(value))
        self.inputs, self.outputs = Cat(ports[True]), Cat(ports[False])
        super().__init__({"i": In(len(self.inputs)), "o": Out(len(self.outputs))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = self.unit
        inputs, outputs = Signal.like(self.inputs), Signal.like(self.outputs)
        m.d.sync += [inputs.eq(self.i), outputs.eq(self.outputs)]
        m.d.comb += [self.inputs.eq(inputs), self.o.eq(outputs)]
        return m


def source_of(component: Any) -> str:
    text = to_verilog(component, name="top")
    templates = resource_dir("rtl_templates")
    return text + "".join((templates / name).read_text(encoding="utf-8") for name in TEMPLATES)


def synthesise(source: str, folder: Path, *, flat: bool) -> dict[str, Counter[str]]:
    """LUT4, block RAMs and flip-flops of each module; only of ``top`` if ``flat``."""
    (folder / "top.v").write_text(source, encoding="utf-8")
    mapping = family_of(BOARD).synthesis_scripts("top")[0]
    if not flat:
        mapping[0] += " -noflatten"
        mapping[-1] += " -noflatten"
    script = ["read_verilog top.v", *mapping, "write_json top.json"]
    run("yosys", ["-q", "-p", "; ".join(script)], folder=folder, log=folder / "yosys.out")
    registers.absorb(folder / "top.json")
    modules = json.loads((folder / "top.json").read_text(encoding="utf-8"))["modules"]
    used = {}
    for name, module in modules.items():
        if module.get("attributes", {}).get("blackbox"):
            continue
        counts: Counter[str] = Counter()
        for cell in module["cells"].values():
            counts["lut4"] += COSTS.get(cell["type"], 0)
            if cell["type"] in COUNTED:
                counts[COUNTED[cell["type"]]] += 1
        if counts:
            used[name.split("\\")[-1]] = counts
    return used


def place(folder: Path, seed: int) -> dict[str, Any]:
    """Place and route the netlist in ``folder``: its clock and slowest path."""
    options = [
        "--85k", "--package", "CABGA381", "--speed", "6", "--json", "top.json", "--report",
        "report.json", "--freq", "150", "--timing-allow-fail", "--lpf-allow-unconstrained",
        "--seed", str(seed),
    ]  # fmt: skip
    run("nextpnr-ecp5", options, folder=folder, log=folder / "nextpnr.out")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    inside = [p for p in report["critical_paths"] if p["from"] == p["to"] != "<async>"]
    slowest = max(inside, key=lambda path: sum(step["delay"] for step in path["path"]))
    return {
        "fmax_mhz": round(min(c["achieved"] for c in report["fmax"].values()), 1),
        "placed_lut4": report["utilization"]["TRELLIS_COMB"]["used"],
        "critical_path": [
            f"{step['delay']:.2f} {step['type']} {step['to']['cell']}" for step in slowest["path"]
        ],
    }


def measure(options: Mapping[str, Any], *, seeds: int, size: int = 32) -> dict[str, Any]:
    net = network(channels=16, size=size, timesteps=4)
    plan = make_plan(net, PlanOptions(**options))
    unit, stage = make_unit(net, plan)
    source = source_of(unit)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        modules = synthesise(source, folder, flat=False)
        whole = synthesise(source, folder, flat=True)["top"]
        row: dict[str, Any] = {
            "options": dict(options),
            "lanes": stage.lanes,
            "membrane_lanes": stage.membrane_lanes,
            **whole,
            "lut4_per_lane": round(whole["lut4"] / stage.lanes, 1),
            "modules": {name: dict(counts) for name, counts in modules.items()},
        }
        if seeds:
            synthesise(source_of(Registered(make_unit(net, plan)[0])), folder, flat=True)
            placed = [place(folder, seed) for seed in range(1, seeds + 1)]
            row |= max(placed, key=lambda result: result["fmax_mhz"])
            row["fmax_mhz_of_seeds"] = [result["fmax_mhz"] for result in placed]
    return row


CASES: tuple[dict[str, Any], ...] = (
    {},
    {"schedule": "time"},
    {"scanners": 2},
    {"pipeline": "alternate"},
    {"membrane_lanes": 16},
)


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--place", type=int, default=0, metavar="SEEDS", help="place and route")
    parser.add_argument("--cases", type=int, default=len(CASES), help="number of cases to measure")
    arguments = parser.parse_args(argv)
    rows = []
    console = Console(width=120)
    for options in CASES[: arguments.cases]:
        rows.append(measure(options, seeds=arguments.place))
        print_row(console, rows[-1])
        write_json(arguments.json, {"rows": rows})


def print_row(console: Console, row: Mapping[str, Any]) -> None:
    keys = ("lut4", "ff", "block_ram")
    table = make_table(
        f"{row['lanes']} lanes, {row['options'] or 'default options'}",
        ("module", "LUT4", "FF", "block RAM"),
        ([name, *(counts.get(key, 0) for key in keys)] for name, counts in row["modules"].items()),
        left=("module",),
    )
    table.add_section()
    table.add_row("whole", *(text(row[key]) for key in keys))
    console.print(table)
    console.print(f"{row['lut4_per_lane']} LUT4 per lane")
    if "fmax_mhz" in row:
        console.print(f"{row['fmax_mhz']} MHz (of {row['fmax_mhz_of_seeds']})")
        for step in row["critical_path"]:
            console.print(f"  {step}", highlight=False)


if __name__ == "__main__":
    main()
