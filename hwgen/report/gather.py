"""Gathers what is known of a build folder: its manifest, last simulation, last place and route."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwgen.artefact.build_folder import read_manifest
from hwgen.errors import ArtefactError

SIMULATION_FILE = "simulation.json"
SYNTHESIS_FILE = "synth/report.json"


def gather(folder: str | Path) -> dict[str, Any]:
    """Plain figures of a build folder.

    Keys: ``network`` (name, hash, board, tools), ``plan`` (the hardware plan), ``predicted`` (the
    cycle model's figures), ``simulation`` and ``synthesis`` (their reports, or None), and
    ``performance``: see :func:`performance`.

    Raises
    ------
    ArtefactError
        It is no build folder, or one of its files is damaged, or of another network.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    simulation = _read(folder / SIMULATION_FILE)
    synthesis = _read(folder / SYNTHESIS_FILE)
    digest = manifest.get("network_hash")
    if simulation is not None and simulation.get("network_hash") != digest:
        raise ArtefactError(
            f"{folder / SIMULATION_FILE} is of another network; run `hwgen simulate` again"
        )
    predicted = manifest.get("predicted") or {}
    return {
        "network": {
            "name": manifest.get("name"),
            "hash": digest,
            "board": manifest.get("board"),
            "tools": manifest.get("tools", {}),
        },
        "plan": manifest.get("plan", {}),
        "predicted": predicted,
        "simulation": simulation,
        "synthesis": synthesis,
        "performance": performance(predicted, simulation, synthesis),
    }


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtefactError(f"{path} is damaged ({error}); remove it or make it again") from error
    return data


def performance(
    predicted: Mapping[str, Any],
    simulation: Mapping[str, Any] | None,
    synthesis: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Rates that follow from cycles and clock; None for what is not known.

    Keys: ``latency_cycles``, ``interval_cycles`` (measured, else predicted), ``cycles_from``
    ("simulation" or "prediction"), ``clock_mhz`` (of the bitstream, or its Fmax where that is
    lower), ``latency_us``, ``results_per_second``, ``results_per_second_per_klut``.
    """
    latency, interval, source = _cycles(predicted, simulation)
    clock = lut4 = None
    if synthesis is not None:
        clock = min(synthesis["clock_mhz"], synthesis["fmax_mhz"])
        lut4 = synthesis["utilisation"]["lut4"]["used"]
    rate = clock * 1e6 / interval if clock and interval else None
    return {
        "latency_cycles": latency,
        "interval_cycles": interval,
        "cycles_from": source,
        "clock_mhz": clock,
        "latency_us": latency / clock if clock and latency else None,
        "results_per_second": rate,
        "results_per_second_per_klut": rate / (lut4 / 1000) if rate and lut4 else None,
    }


def _cycles(
    predicted: Mapping[str, Any], simulation: Mapping[str, Any] | None
) -> tuple[float | None, float | None, str | None]:
    # Cycles under stalls say how the core waits, not how fast it is.
    if simulation and simulation.get("idle") == simulation.get("backpressure") == "none":
        latency, interval = simulation.get("latency_cycles"), simulation.get("interval_cycles")
        if latency is not None:
            return latency, interval, "simulation"
    latency, interval = predicted.get("latency_cycles"), predicted.get("interval_cycles")
    return latency, interval, None if latency is None else "prediction"
