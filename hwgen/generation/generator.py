"""Generate hardware: choose a plan, predict its cycles, and describe both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hwgen import boards, golden
from hwgen.errors import PlanError
from hwgen.network import Network, require_network
from hwgen.plan import folding_file
from hwgen.plan.assembly import make_plan
from hwgen.plan.search.expectation import expect
from hwgen.plan.search.planned_design import PlannedDesign, evaluate_plan
from hwgen.plan.search.planner import Planner
from hwgen.plan.search.target import Target, design_for, forced_design, misfit
from hwgen.plan.timing.predict import Prediction, predict
from hwgen.plan.units.geometry import Schedule
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.layer_sizes import DEFAULT_LANES
from hwgen.plan.units.options import Orders, PerLayer, PerLayerMemory, Pipeline, PlanOptions, choice
from hwgen.rtl.names import identifier

if TYPE_CHECKING:
    from hwgen.generation.design import Design

PLANNED_IMAGES = 4
"""Calibration images whose spikes the planner counts."""
MODEL_STEPS = 6_000_000
"""Spikes and chunks that the cycle model may process; each takes about 10 µs."""


def generate(
    network: Network,
    *,
    board: str | Path | None = None,
    target_fps: float | str | None = None,
    clock_mhz: float | None = None,
    max_luts: int | None = None,
    folding: str | Path | None = None,
    schedule: str | None = None,
    pipeline: str | None = None,
    input_width: int | None = None,
    lanes: PerLayer = None,
    scanners: PerLayer = None,
    membrane_lanes: PerLayer = None,
    weight_memory: PerLayerMemory = None,
    orders: Orders | None = None,
    counters: bool = True,
    force: bool = False,
) -> Design:
    """Generate the hardware of a network; ``.write(path)`` writes the build folder.

    The units are chosen by the planner (``target_fps``, ``max_luts``), by a ``folding`` file, or by
    ``lanes`` … ``orders``: these three exclude each other.

    Parameters
    ----------
    network : Network
    board : str or path, optional
        Name of a board, or a ``.yaml`` file that describes one.
    target_fps : float or "max", optional
        Results per second that the planner must reach; "max" for the highest rate that fits.
    clock_mhz : float, optional
        Clock for ``target_fps``; the board's default if omitted.
    max_luts : int, optional
        LUT4 that the planner may use.
    folding : path, optional
        A folding file, as ``hwgen generate`` writes it.
    schedule : "row" or "time", optional
        Order of the words; by default "row", and "time" for address events.
    pipeline : "overlap" or "alternate", optional
        Two banks of membranes per layer (default) or one.
    input_width : int, optional
        Bits of an input beat.
    lanes : int or {layer: int}, optional
        Output channels that a layer sums in parallel. One number for all layers is cut to the
        largest that a layer can use; the key None names all layers that are not listed.
    scanners : int or {layer: int}, optional
        Spikes that a layer reads per cycle.
    membrane_lanes : int or {layer: int}, optional
        Membranes that a layer updates per cycle.
    weight_memory : str or {layer: str or sequence of str}, optional
        "auto", "block", "lut" or "split"; a sequence has one for each projection.
    orders : {layer: sequence of sequence of int}, optional
        For each projection, the bits of a chunk that each scanner owns.
    counters : bool
        Whether to build performance counters.
    force : bool
        Whether to accept a plan that does not fit the board; ``Design.misfit`` says what is short.

    Raises
    ------
    NetworkError
        The network breaks a rule.
    PlanError
        An option does not fit the network, or nothing fits the board.
    """
    from hwgen.generation.design import Design

    require_network(network)
    network.verify()
    chosen_board = boards.load(board) if board is not None else None
    target = Target(
        target_fps=target_fps, max_luts=max_luts, board=chosen_board, clock_mhz=clock_mhz
    )
    by_hand = {
        "lanes": lanes,
        "scanners": scanners,
        "membrane_lanes": membrane_lanes,
        "weight_memory": weight_memory,
        "orders": orders,
    }
    in_file = {"schedule": schedule, "pipeline": pipeline, "input_width": input_width}
    _require_one_way(
        target,
        folding,
        by_hand=[name for name, value in by_hand.items() if value],
        in_file=[name for name, value in in_file.items() if value is not None],
    )
    if folding is not None:
        options = folding_file.read(folding).plan_options(counters=counters)
    else:
        options = PlanOptions(
            schedule=None if schedule is None else choice(Schedule, schedule, option="schedule"),
            pipeline=choice(Pipeline, pipeline or Pipeline.OVERLAP, option="pipeline"),
            input_width=input_width,
            counters=counters,
            lanes=lanes,
            scanners=scanners,
            membrane_lanes=membrane_lanes,
            weight_memory=weight_memory,
            orders=orders or {},
        )
    model = CycleModel(network) if network.probe is not None else None
    name = identifier(network.name)
    planned: PlannedDesign | None = None
    prediction: Prediction | None = None
    short: str | None = None
    if target.needs_planner:
        if model is None:
            raise PlanError(
                "the planner counts the spikes of calibration images, and the network has none; "
                "convert it with hwgen, or give lanes and scanners"
            )
        planner = Planner(network, model.trains, name=name, options=options)
        try:
            planned = design_for(target, planner, model.interval)
        except PlanError as error:
            if not force:
                raise
            planned, short = forced_design(target, planner, model.interval), str(error)
        plan, scanners_by_layer = planned.plan, planned.scanners
        prediction = model.predict_round(plan)
    else:
        plan = make_plan(network, options, name=name)
        scanners_by_layer = folding_file.requested_scanners(network, options.scanners)
        if model is not None:
            fabric = target.budget(chosen_board).fabric
            planned = evaluate_plan(plan, model.affordable_trains, scanners_by_layer, fabric)
            prediction = model.predict(plan)
        short = misfit(plan, chosen_board) if chosen_board else None
        if short and not force:
            raise PlanError(short)
    expected = None
    if planned is not None:
        expected = expect(planned, target, prediction.interval_cycles if prediction else None)
    return Design(
        network=network,
        plan=plan,
        board=chosen_board.name if chosen_board else None,
        prediction=prediction.summary if prediction else None,
        expected=expected,
        misfit=short,
        folding=folding_file.to_yaml(
            folding_file.folding_of(plan, scanners_by_layer),
            name=network.name,
            notes=expected.folding_notes() if expected else {},
        ),
    )


class CycleModel:
    """The cycle model on as many of a network's calibration images as time allows."""

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
        """Spike trains of the first images, by node; few if the network is large."""
        self._round: tuple[HardwarePlan, Prediction | None] | None = None

    def _first(self, images: int) -> dict[str, NDArray[np.uint8]]:
        return {node: trains[:images] for node, trains in self._all.items()}

    @property
    def affordable_trains(self) -> dict[str, NDArray[np.uint8]]:
        """Spike trains of the images of :meth:`predict`, or ``trains`` where it has none."""
        return self._first(self._affordable) if self._affordable else self.trains

    def predict(self, plan: HardwarePlan) -> Prediction | None:
        """Cycles of the affordable calibration images; None where not even one is."""
        return predict(plan, self.affordable_trains) if self._affordable else None

    def predict_round(self, plan: HardwarePlan) -> Prediction | None:
        """Cycles of ``trains``, preceded by the last image, so that the interval is their mean."""
        if self._round is None or self._round[0] is not plan:
            images = len(next(iter(self.trains.values())))
            order = [images - 1, *range(images)]
            prediction = None
            if len(order) <= self._affordable:
                prediction = predict(plan, {n: t[order] for n, t in self.trains.items()})
            self._round = plan, prediction
        return self._round[1]

    def interval(self, plan: HardwarePlan) -> float | None:
        """Cycles between results; None where the model would take too long."""
        prediction = self.predict_round(plan)
        return prediction.interval_cycles if prediction else None


def _require_one_way(
    target: Target, folding: object, *, by_hand: list[str], in_file: list[str]
) -> None:
    """Raise :class:`.PlanError` if planner, folding file and options by hand are combined."""
    ways = {
        "target_fps or max_luts": target.needs_planner,
        "folding": folding is not None,
        ", ".join(by_hand): by_hand,
        **dict.fromkeys(in_file, folding is not None),
    }
    used = [way for way, chosen in ways.items() if chosen]
    if len(used) > 1:
        raise PlanError(
            f"{used[0]} and {used[1]} cannot be given together; write the options that you want to "
            f"fix into the folding file, and give only that"
        )
