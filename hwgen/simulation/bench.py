"""The Verilog around a core: ``tb.v.j2`` with the names and widths of its streams."""

from __future__ import annotations

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hwgen.artefact.build_folder import Manifest
from hwgen.resources import resource_dir
from hwgen.simulation.work_folder import WorkFolder

BENCH = "hwgen_bench"
"""Name of the module around the core."""


def render_bench(manifest: Manifest, work: WorkFolder) -> str:
    """Verilog of the bench around a core."""
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
        manifest=manifest,
        stream_files={s.tap: work.relative(work.stream(s.tap)) for s in manifest.streams},
        beats=work.relative(work.beats),
        results=work.relative(work.results),
        log=work.relative(work.sample_cycles),
        waves=work.relative(work.waveform),
    )
