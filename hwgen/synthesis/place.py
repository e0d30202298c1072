"""Place and route with nextpnr, and what its report says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.boards import Board
from hwgen.synthesis.tools import Watch, run

_UTILISATION = {
    "ecp5": {
        "lut4": "TRELLIS_COMB",
        "ff": "TRELLIS_FF",
        "block_ram": "DP16KD",
        "multiplier": "MULT18X18D",
    },
    # An iCE40 logic cell is a LUT4 and a flip-flop; nextpnr counts cells.
    "ice40": {
        "lut4": "ICESTORM_LC",
        "block_ram": "ICESTORM_RAM",
        "multiplier": "ICESTORM_DSP",
        "spram": "ICESTORM_SPRAM",
    },
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a path: through ``cell`` (``kind`` logic, clk-to-q, setup) or to it (routing)."""

    kind: str
    cell: str
    net: str
    delay_ns: float


@dataclass(frozen=True, kw_only=True)
class CriticalPath:
    """The slowest path between two flip-flops or memories of the core's clock."""

    source: str
    sink: str
    delay_ns: float
    logic_ns: float
    routing_ns: float
    steps: tuple[Step, ...]

    @property
    def levels(self) -> int:
        """Cells of logic between the two ends."""
        return sum(step.kind == "logic" for step in self.steps)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What place and route gave. ``utilisation[resource]`` is (used, available)."""

    fmax_mhz: float
    utilisation: dict[str, tuple[int, int]]
    critical_path: CriticalPath | None


def place_and_route(
    board: Board,
    *,
    netlist: str,
    clock_mhz: float,
    seed: int,
    folder: Path,
    work: Path,
    watch: Watch | None = None,
) -> tuple[Placement, Path]:
    """Run nextpnr and the packer in ``work``; gives the figures and the bitstream.

    ``netlist`` is a name below ``folder``, where the tools run.
    """
    here = work.relative_to(folder).as_posix()
    pins = work / ("pins.lpf" if board.family == "ecp5" else "pins.pcf")
    pins.write_text(_constraints(board), encoding="utf-8")
    shared = [
        f"--{board.device}", "--package", board.package, "--json", netlist,
        "--report", f"{here}/nextpnr.json", "--clock-mhz", f"{clock_mhz:g}", "--seed", str(seed),
        "--timing-allow-fail",
    ]  # fmt: skip
    log = work / "nextpnr.log"
    if board.family == "ecp5":
        # On full chips the default placer takes hours, and its wires are a third longer.
        options = ["--placer", "static", "--speed", str(board.speed_grade)]
        options += ["--lpf", f"{here}/{pins.name}"]
        options += ["--textcfg", f"{here}/routed.config"]
        pack = ("ecppack", ["--compress", f"{here}/routed.config", f"{here}/bitstream.bit"])
        bitstream = work / "bitstream.bit"
    else:
        options = ["--pcf", f"{here}/{pins.name}", "--asc", f"{here}/routed.asc"]
        pack = ("icepack", [f"{here}/routed.asc", f"{here}/bitstream.bin"])
        bitstream = work / "bitstream.bin"
    run(f"nextpnr-{board.family}", shared + options, folder=folder, log=log, watch=watch)
    run(pack[0], pack[1], folder=folder, log=work / f"{pack[0]}.log", watch=watch)
    report = json.loads((work / "nextpnr.json").read_text(encoding="utf-8"))
    return read_report(board, report), bitstream


def _constraints(board: Board) -> str:
    pins = {
        "clk": board.clock.pin,
        "reset_n": board.reset_pin,
        "rx": board.uart.rx_pin,
        "tx": board.uart.tx_pin,
    }
    mhz = board.clock.hz / 1e6
    if board.family == "ice40":
        pull = {"reset_n": "-pullup yes ", "rx": "-pullup yes "}
        lines = [f"set_io {pull.get(port, '')}{port} {pin}" for port, pin in pins.items()]
        return "\n".join([*lines, f"set_frequency clk {mhz:g}", ""])
    lines = []
    for port, pin in pins.items():
        pull_up = " PULLMODE=UP" if port in ("reset_n", "rx") else ""
        lines.append(f'LOCATE COMP "{port}" SITE "{pin}";')
        lines.append(f'IOBUF PORT "{port}" IO_TYPE={board.io_standard}{pull_up};')
    return "\n".join([*lines, f'FREQUENCY PORT "clk" {mhz:g} MHZ;', ""])


def read_report(board: Board, report: Mapping[str, Any]) -> Placement:
    """The figures of nextpnr's ``--report``: of the core's clock, the slowest one."""
    clocks = report["fmax"]
    slowest = min((clock["achieved"] for clock in clocks.values()), default=0.0)
    used = report["utilization"]
    paths = [
        path
        for path in report["critical_paths"]
        if path["from"] == path["to"] and path["from"] != "<async>"
    ]
    return Placement(
        fmax_mhz=round(slowest, 2),
        utilisation={
            resource: (used[cell]["used"], used[cell]["available"])
            for resource, cell in _UTILISATION[board.family].items()
            if cell in used
        },
        critical_path=max(map(_path, paths), key=lambda path: path.delay_ns, default=None),
    )


def _path(path: Mapping[str, Any]) -> CriticalPath:
    steps = tuple(
        Step(
            kind=step["type"],
            cell=_cell(step["to"]["cell"]),
            net=step.get("net", ""),
            delay_ns=round(step["delay"], 3),
        )
        for step in path["path"]
    )
    logic = sum(step.delay_ns for step in steps if step.kind != "routing")
    routing = sum(step.delay_ns for step in steps if step.kind == "routing")
    return CriticalPath(
        source=steps[0].cell,
        sink=steps[-1].cell,
        delay_ns=round(logic + routing, 3),
        logic_ns=round(logic, 3),
        routing_ns=round(routing, 3),
        steps=steps,
    )


def _cell(name: str) -> str:
    """``core.conv1.acc_TRELLIS_FF_Q_3_DI_LUT4_Z`` → ``core.conv1.acc``: the signal it is named for.

    Yosys names a cell for the nearest signal of the design, with the way to it appended.
    """
    cells = r"TRELLIS_FF|LUT4|CCU2C|PFUMX|L6MUX21|DP16KD|MULT18X18D|TRELLIS_DPR16X4|SB_[A-Z0-9]+"
    return re.split(rf"_(?:{cells})(?:_|\$|$)", name, maxsplit=1)[0]
