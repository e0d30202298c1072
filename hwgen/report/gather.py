"""Gathers the figures of a build folder: manifest, last simulation, last place and route."""

from __future__ import annotations

from pathlib import Path

from hwgen.artefact.build_folder import read_manifest
from hwgen.errors import ArtefactError
from hwgen.report.figures import BuildFigures, NetworkFigures, performance
from hwgen.simulation import SimulationReport
from hwgen.synthesis import BuildReport


def gather(folder: str | Path) -> BuildFigures:
    """Figures of a build folder.

    Raises
    ------
    ArtefactError
        ``folder`` is not a build folder, or one of its files is damaged or of another network.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
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
