"""Generate hardware, planned for a rate where one is asked for, and foresee its cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hwgen import boards, golden
from hwgen.errors import PlanError
from hwgen.network import Network
from hwgen.plan import folding_file
from hwgen.plan.search.planned_design import PlannedDesign, evaluate_plan
from hwgen.plan.search.planner import Planner
from hwgen.plan.search.target import Target, describe, design_for
from hwgen.plan.timing.predict import Prediction, predict
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.unit_plans import DEFAULT_LANES
from hwgen.rtl.names import identifier

if TYPE_CHECKING:
    from hwgen.generation.design import Design

PLANNED_IMAGES = 4
"""Calibration images whose spikes the planner counts."""
MODEL_STEPS = 6_000_000
"""Spikes and chunks that the exact cycle model may go through; it takes some 10 µs for each."""
BY_HAND = ("lanes", "scanners", "membrane_lanes", "weight_memory", "orders")
IN_FILE = ("schedule", "pipeline", "input_width")


def generate(
    network: Network,
    *,
    board: str | Path | None = None,
    target_fps: float | str | None = None,
    clock_mhz: float | None = None,
    max_luts: int | None = None,
    folding: str | Path | None = None,
    **options: Any,
) -> Design:
    """The hardware of a network; ``.write(path)`` makes the build folder.

    Parameters
    ----------
    network : Network
    board : str, optional
        Name of a board, or a ``.yaml`` file that describes one.
    target_fps : float or "max", optional
        Results a second: the planner chooses lanes, scanners, membrane lanes and memories. "max"
        asks for the highest rate that fits.
    clock_mhz : float, optional
        The clock that ``target_fps`` counts on; the board's default where not given.
    max_luts : int, optional
        LUT4 that the planner may use.
    folding : path, optional
        A folding file: the plan that it describes.
    options
        Those of :func:`hwgen.plan.assembly.make_plan`: ``schedule``, ``pipeline``, ``input_width``,
        ``counters``; and, without planner or file, ``lanes``, ``scanners``, ``membrane_lanes``,
        ``weight_memory``, ``orders``.

    Raises
    ------
    NetworkError
        The network breaks a rule.
    PlanError
        An option does not fit the network, or nothing fits the board.
    """
    from hwgen.generation.design import generate as design_of

    network.verify()
    options = {name: value for name, value in options.items() if value is not None}
    chosen = boards.load(board) if board is not None else None
    target = Target(target_fps=target_fps, max_luts=max_luts, board=chosen, clock_mhz=clock_mhz)
    _require_one_way(target, folding, options)
    if folding is not None:
        options |= folding_file.read(folding).options()
    model = CycleModel(network) if network.probe is not None else None
    planned: PlannedDesign | None = None
    prediction: Prediction | None = None
    if target.is_made:
        if model is None:
            raise PlanError(
                "the planner counts the spikes of calibration images, and the network has none; "
                "convert it with hwgen, or give lanes and scanners"
            )
        planner = Planner(network, model.trains, name=identifier(network.name), **options)
        planned = design_for(target, planner, model.interval)
        scanners = planned.scanners
        design = design_of(network, board=chosen.name if chosen else None, plan=planned.plan)
        prediction = model.predict_round(design.plan)
    else:
        design = design_of(network, board=chosen.name if chosen else None, **options)
        scanners = folding_file.asked_scanners(network, options.get("scanners"))
        if model is not None:
            planned = evaluate_plan(design.plan, model.trains, scanners)
            prediction = model.predict(design.plan)
    expected = None
    if planned is not None:
        expected = describe(planned, target, prediction.interval_cycles if prediction else None)
    return replace(
        design,
        prediction=_plain(prediction),
        expected=expected,
        folding=folding_file.to_yaml(
            folding_file.folding_of(design.plan, scanners),
            name=network.name,
            notes=_notes(expected),
        ),
    )


class CycleModel:
    """The exact cycle model on a network's calibration images, as many as time allows.

    Attributes
    ----------
    trains : {node: uint8 array}
        Of the first images; few where the network is large.
    """

    def __init__(self, network: Network) -> None:
        assert network.probe is not None
        result = golden.run(network, network.probe, trains=True)
        lanes = {layer.name: min(DEFAULT_LANES, len(layer.bias)) for layer in network.layers}
        steps = sum(
            float(operations.mean()) / lanes[layer]
            for layer, operations in result.synaptic_operations.items()
        )
        self._affordable = int(MODEL_STEPS / max(steps, 1))
        self._all = result.trains
        self.trains = self._first(min(PLANNED_IMAGES, max(2, self._affordable - 1)))
        self._round: tuple[HardwarePlan, Prediction | None] | None = None

    def _first(self, images: int) -> dict[str, NDArray[np.uint8]]:
        return {node: trains[:images] for node, trains in self._all.items()}

    def predict(self, plan: HardwarePlan) -> Prediction | None:
        """Of all calibration images, or those that time allows; None where it allows none."""
        return predict(plan, self._first(self._affordable)) if self._affordable else None

    def predict_round(self, plan: HardwarePlan) -> Prediction | None:
        """Of ``trains`` with the last one before the first too: the interval is the mean of all."""
        if self._round is None or self._round[0] is not plan:
            images = len(next(iter(self.trains.values())))
            order = [images - 1, *range(images)]
            prediction = None
            if len(order) <= self._affordable:
                prediction = predict(plan, {n: t[order] for n, t in self.trains.items()})
            self._round = plan, prediction
        return self._round[1]

    def interval(self, plan: HardwarePlan) -> float | None:
        prediction = self.predict_round(plan)
        return prediction.interval_cycles if prediction else None


def _plain(prediction: Prediction | None) -> dict[str, Any] | None:
    if prediction is None:
        return None
    return {
        "images": len(prediction.result_cycles),
        "latency_cycles": prediction.latency_cycles,
        "interval_cycles": prediction.interval_cycles,
        "busy_cycles": prediction.busy_cycles,
    }


def _require_one_way(target: Target, folding: object, options: Mapping[str, Any]) -> None:
    """Planner, folding file and options by hand exclude each other."""
    by_hand = [name for name in BY_HAND if options.get(name)]
    ways = {
        "target_fps or max_luts": target.is_made,
        "folding": folding is not None,
        ", ".join(by_hand): bool(by_hand),
    }
    given = [way for way, is_given in ways.items() if is_given]
    if folding is not None:
        given += [name for name in IN_FILE if name in options]
    if len(given) > 1:
        raise PlanError(
            f"{given[0]} and {given[1]} cannot be given together; write what you want to fix into "
            f"the folding file, and give that alone"
        )


def _notes(expected: Mapping[str, Any] | None) -> dict[str, str]:
    """Comments of a folding file."""
    if expected is None:
        return {}
    notes = {
        name: f"{unit['cycles']:,} cycles a sample, {unit['lut4']:,} LUT4, "
        f"{unit['block_ram']} block RAMs"
        for name, unit in expected["units"].items()
        if unit["cycles"] is not None
    }
    notes[""] = (
        f"Expected: a result every {expected['interval_cycles']:,.0f} cycles, held up by "
        f"{expected['bottleneck']};\n{expected['lut4']:,} LUT4, {expected['block_ram']} block RAMs."
    )
    return notes
