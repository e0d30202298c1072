"""VGG-16 and MobileNet-v2: time and memory to convert, plan and generate.

    python -m benchmarks.scale [--json FILE] [--network vgg16]

Weights are random: 14.7 million in VGG-16, 2.2 million in MobileNet-v2; images 32×32. The planner
must reject the ECP5-85F, which is too small, and name the shortfall; the Verilog has default lanes.
Each network runs in its own process, so that its peak memory is measured separately.
"""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.command import make_parser, write_json
from benchmarks.table import records_table

NETWORKS = ("vgg16", "mobilenet_v2")
BOARD = "ulx3s-85f"
LIMITS = {"seconds": 120.0, "peak_gib": 8.0}


def measure(name: str) -> dict[str, Any]:
    from benchmarks import scale_models
    from hwgen import golden
    from hwgen.conversion import convert
    from hwgen.errors import PlanError
    from hwgen.generation.generator import generate
    from hwgen.plan.cost.area import plan_usage
    from hwgen.plan.cost.usage import Usage

    model = scale_models.random_model(name)
    seconds: dict[str, float] = {}
    start = time.perf_counter()

    def lap(what: str) -> None:
        seconds[what] = round(time.perf_counter() - start - sum(seconds.values()), 1)

    network = convert(model, scale_models.images(32), timesteps=4, name=name)
    lap("convert")
    try:
        generate(network, board=BOARD, target_fps="max")
        answer = f"fits {BOARD}"
    except PlanError as error:
        answer = str(error)
    lap("plan")
    design = generate(network, counters=False)
    with tempfile.TemporaryDirectory() as folder:
        build = design.write(Path(folder) / "build")
        lap("generate")
        size = sum(file.stat().st_size for file in build.folder.rglob("*") if file.is_file())
    usage = sum(plan_usage(design.plan).values(), Usage())
    golden.run(network, scale_models.images(1))
    return {
        "network": name,
        "weights": sum(p.weights.size for layer in network.layers for p in layer.projections),
        **{f"{what}_seconds": spent for what, spent in seconds.items()},
        "seconds": round(sum(seconds.values()), 1),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "build_mib": round(size / 2**20, 1),
        "lut4": round(usage.lut4),
        "block_ram": round(usage.block_rams),
        "planner": answer,
    }


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--network", choices=NETWORKS, help="only this one")
    arguments = parser.parse_args(argv)
    rows = []
    for name in NETWORKS if arguments.network is None else (arguments.network,):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(measure, (name,)))
    write_json(arguments.json, {"rows": rows})
    Console(width=200).print(records_table("Large networks, random weights, T = 4", rows))
    late = [row["network"] for row in rows for key, most in LIMITS.items() if row[key] > most]
    if late:
        raise SystemExit(f"over 2 minutes or 8 GiB: {', '.join(late)}")


if __name__ == "__main__":
    main()
