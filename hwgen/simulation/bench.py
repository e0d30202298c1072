"""The Verilog around a core: ``tb.v.j2`` with the names and widths of its streams."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hwgen.resources import resource_dir
from hwgen.simulation.core import Build
from hwgen.simulation.expected import beats_file, results_file, stream_file

BENCH = "hwgen_bench"
"""The module around the core."""


def simulation_log_file(folder: Path) -> Path:
    """Where the bench tells the cycles of each sample's first beat and last result."""
    return folder / "simulation.log"


def waves_file(folder: Path, simulator: str) -> Path:
    """Where the simulator records every signal, if asked to."""
    return folder / ("waves.fst" if simulator == "icarus" else "waves.vcd")


def render_bench(build: Build, folder: Path) -> str:
    """The bench of a core whose files lie in ``folder``, a folder within the build folder.

    The simulator runs in the build folder, where the core's weight files are.
    """

    def relative(path: Path) -> str:
        return path.relative_to(build.folder).as_posix()

    environment = Environment(
        loader=FileSystemLoader(resource_dir("sim")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template("tb.v.j2").render(
        bench=BENCH,
        name=build.name,
        input_width=build.input_width,
        output_width=build.output_width,
        address_width=build.ports.get("counter_address", 0),
        streams=[
            {"tap": s.tap, "width": s.width, "file": relative(stream_file(folder, s.tap))}
            for s in build.streams
        ],
        beats=relative(beats_file(folder)),
        results=relative(results_file(folder)),
        log=relative(simulation_log_file(folder)),
        waves=relative(waves_file(folder, "icarus")),
    )
