"""Gathers the figures of a build folder: manifest, last simulation, last place and route."""

from __future__ import annotations

import os
from pathlib import Path

from hwgen.artefact.build_folder import read_manifest
from hwgen.errors import ArtefactError
from hwgen.report.figures import BuildFigures, NetworkFigures, performance
from hwgen.simulation.report import SimulationReport
from hwgen.synthesis import BuildReport


def gather(folder: str | os.PathLike[str]) -> BuildFigures:
    """Figures of a build folder.

    Raises
    ------
    ArtefactError
        ``folder`` is not a build folder, or one of its files is damaged or of another network.
    """
    manifest = read_manifest(folder)
    folder = Path(folder)
    simulation = SimulationReport.read(folder)
    synthesis = BuildReport.read(folder)
    if simulation is not None and simulation.network_hash != manifest.network_hash:
        raise ArtefactError(
            f"{folder}: the last simulation was of another network; run `hwgen simulate` again"
        )
    return BuildFigures(
        network=NetworkFigures(
            name=manifest.name,
            hash=manifest.network_hash,
            board=manifest.board,
            tools=manifest.tools,
        ),
        plan=manifest.plan,
        predicted=manifest.predicted,
        simulation=simulation,
        synthesis=synthesis,
        performance=performance(manifest.predicted, simulation, synthesis),
    )
