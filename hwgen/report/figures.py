"""Figures of a build folder, as ``report.json`` holds them, from its other files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from hwgen import artefact
from hwgen.artefact.build_folder import read_manifest
from hwgen.artefact.evaluation_file import EvaluationFile
from hwgen.artefact.report_file import ReportFile
from hwgen.boards import Resource
from hwgen.errors import ArtefactError
from hwgen.plan.belonging import is_plan_of
from hwgen.plan.timing.predict import PredictedCycles
from hwgen.plan.units.hardware_plan import PlanField
from hwgen.simulation.report import Cycles, SimulationReport
from hwgen.synthesis import BuildReport
from hwgen.validation import FrozenModel, provenance_as


class NetworkFigures(FrozenModel):
    """Identity of the core: network, its content hash, board, versions of the tools."""

    name: str
    hash: str
    board: str | None
    tools: Mapping[str, str]


class ConversionFigures(FrozenModel):
    """What the conversion measured without labels, and what it warned of.

    Parameters
    ----------
    images : int
        Images that the network was compared with the float model on.
    held_out : bool
        Whether calibration has not seen them.
    agreement : float
        Share of images with the same class, in per cent.
    signal_to_error : float
        Of the logits, in dB.
    layers : mapping of name to float
        Signal to error of each layer, in dB.
    warnings : tuple of str
    """

    images: int
    held_out: bool
    agreement: float
    signal_to_error: float
    layers: Mapping[str, float]
    warnings: tuple[str, ...]


class Performance(FrozenModel):
    """Rates that follow from cycles and clock; None if unknown.

    Parameters
    ----------
    latency_cycles, interval_cycles : float or None
        Measured in simulation if possible, otherwise predicted.
    cycles_from : "simulation", "prediction" or None
    clock_mhz : float or None
        Clock of the bitstream, or its maximum clock if that is lower.
    latency_us, results_per_second, results_per_second_per_klut : float or None
        At that clock; the last one per 1,000 LUT4.
    """

    latency_cycles: float | None
    interval_cycles: float | None
    cycles_from: Literal["simulation", "prediction"] | None
    clock_mhz: float | None
    latency_us: float | None
    results_per_second: float | None
    results_per_second_per_klut: float | None


class BuildFigures(ReportFile):
    """Figures of a build folder: what was evaluated, generated, simulated, and routed."""

    FILE = "report.json"
    COMMAND = "report"

    network: NetworkFigures
    plan: PlanField
    predicted: PredictedCycles | None
    conversion: ConversionFigures | None
    evaluation: EvaluationFile | None
    simulation: SimulationReport | None
    synthesis: BuildReport | None
    performance: Performance

    @property
    def cycles(self) -> tuple[Cycles, Cycles]:
        """Latency and interval, measured and predicted on the same samples if possible."""
        if simulation := self.simulation:
            return simulation.latency, simulation.interval
        latency = self.predicted.latency_cycles if self.predicted else None
        interval = self.predicted.interval_cycles if self.predicted else None
        return Cycles("latency", None, latency), Cycles("interval", None, interval)


def _performance(
    predicted: PredictedCycles | None,
    simulation: SimulationReport | None,
    synthesis: BuildReport | None,
) -> Performance:
    """Rates of a build folder."""
    latency = interval = None
    source: Literal["simulation", "prediction"] | None = None
    if simulation and not simulation.is_stalled and simulation.latency_cycles is not None:
        latency, interval = simulation.latency_cycles, simulation.interval_cycles
        source = "simulation"
    elif predicted:
        latency, interval = predicted.latency_cycles, predicted.interval_cycles
        source = "prediction"
    clock = lut4 = None
    if synthesis is not None:
        clock = min(synthesis.clock_mhz, synthesis.fmax_mhz)
        lut4 = synthesis.utilisation[Resource.LUT4].used
    rate = clock * 1e6 / interval if clock and interval else None
    return Performance(
        latency_cycles=latency,
        interval_cycles=interval,
        cycles_from=source,
        clock_mhz=clock,
        latency_us=latency / clock if clock and latency else None,
        results_per_second=rate,
        results_per_second_per_klut=rate / (lut4 / 1000) if rate and lut4 else None,
    )


def _conversion(origin: Mapping[str, Any], folder: Path) -> ConversionFigures | None:
    """Figures in the provenance of the network in ``folder``, if it has been converted."""
    if "fidelity" not in origin:
        return None
    figures, warnings = origin["fidelity"], origin.get("warnings", ())
    if isinstance(figures, Mapping):
        figures = {**figures, "warnings": tuple(warnings) if isinstance(warnings, list) else ()}
    return provenance_as(ConversionFigures, figures)


def gather(folder: str | os.PathLike[str]) -> BuildFigures:
    """Figures of a build folder.

    Raises
    ------
    ArtefactError
        ``folder`` is not a build folder, or one of its files is damaged or of another network.
    """
    manifest = read_manifest(folder)
    folder = Path(folder)
    network = artefact.load(folder / "network") if (folder / "network").is_dir() else None
    if network is not None and not is_plan_of(manifest.plan, network):
        raise ArtefactError(
            f"{folder}: the plan in its manifest is not one of its network; generate it again"
        )
    simulation = SimulationReport.read(folder)
    synthesis = BuildReport.read(folder)
    evaluation = EvaluationFile.read(folder)
    for kept, what in ((simulation, "simulation"), (evaluation, "evaluation")):
        if kept is not None and kept.network_hash != manifest.network_hash:
            raise ArtefactError(
                f"{folder}: the last {what} was of another network; "
                f"run `hwgen {kept.COMMAND}` again"
            )
    return BuildFigures(
        network=NetworkFigures(
            name=manifest.name,
            hash=manifest.network_hash,
            board=manifest.board,
            tools=manifest.tools,
        ),  # fmt: skip
        plan=manifest.plan,
        predicted=manifest.predicted,
        conversion=_conversion(network.provenance, folder / "network") if network else None,
        evaluation=evaluation,
        simulation=simulation,
        synthesis=synthesis,
        performance=_performance(manifest.predicted, simulation, synthesis),
    )
