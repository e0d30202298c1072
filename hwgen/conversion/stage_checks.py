"""Numerical checks of the stages: each names the first layer that differs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch.export import ExportedProgram

from hwgen.conversion.calibration.float_run import run_nodes
from hwgen.conversion.converted import Converted
from hwgen.conversion.float_graph import FloatGraph
from hwgen.conversion.frontend.torch_program import run_program, run_program_nodes
from hwgen.conversion.op_graph import OpGraph
from hwgen.conversion.op_run import Values, run_ops
from hwgen.conversion.quantisation.layerwise import KEPT_IMAGES
from hwgen.conversion.task import Task
from hwgen.errors import ConversionError
from hwgen.golden.trials import Trials
from hwgen.network import Flatten, Layer, MaxPool2d

RELATIVE, ROUNDING = 1e-3, 1e-5  # of a layer's largest value; of the largest of all layers


def first_difference(before: Values, after: Values, origins: Mapping[str, str]) -> str | None:
    """First node of ``after`` whose values are not those of its origin, up to rounding."""
    pairs = {name: before[origin] for name, origin in origins.items() if origin in before}
    largest = max(map(_magnitude, pairs.values()), default=0.0)
    for name, values in after.items():
        if name not in pairs:
            continue
        wanted = pairs[name].reshape(len(values), -1)
        tolerance = RELATIVE * _magnitude(wanted) + ROUNDING * largest
        same = np.isclose(
            values.reshape(len(values), -1), wanted, rtol=RELATIVE, atol=tolerance, equal_nan=True
        )
        if not same.all():
            return name
    return None


def _magnitude(values: np.ndarray) -> float:
    """Largest finite magnitude."""
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def same_as_model(task: Task, program: ExportedProgram, graph: OpGraph) -> str | None:
    ready = task.few_ready
    if not np.isfinite(run_program(program, ready)).all():
        raise ConversionError("the model gives logits that are NaN or infinite on these images")
    return first_difference(run_program_nodes(program, ready), run_ops(graph, ready), graph.origins)


def same_operations(task: Task, before: OpGraph, after: OpGraph) -> str | None:
    ready = task.few_ready
    return first_difference(run_ops(before, ready), run_ops(after, ready), after.origins)


def same_populations(task: Task, before: OpGraph, after: FloatGraph) -> str | None:
    values = run_nodes(after, task.few_pixels)
    return first_difference(run_ops(before, task.few_ready), values, after.origins)


def same_structure(task: Task, before: FloatGraph, after: FloatGraph) -> str | None:
    """Training changes weights, so values differ; but nodes, sources and windows stay."""
    for old, new in zip(before.nodes, after.nodes):
        if (old.name, old.sources) != (new.name, new.sources):
            return new.name
    return None


def same_codes(task: Task, before: FloatGraph, after: Converted) -> str | None:
    """Golden must give the codes on which conversion calibrated, exactly.

    Layers are compared up to the first single-phase neuron or gate by spike count, neither of which
    has a closed form.
    """
    network, types = after.network(), after.network().train_types
    exact = set() if types[network.input.name].constant_steps else {network.input.name}
    for node in network.nodes:
        match node:
            case Layer():
                closed = node.neuron.two_phase
            case MaxPool2d():
                closed = types[node.source].in_order
            case Flatten():
                closed = True
        if closed and exact.issuperset(node.sources):
            exact.add(node.name)
    if exact.isdisjoint(layer.name for layer in network.layers):
        return None
    trials = Trials(task.images[:KEPT_IMAGES])
    logits = trials.logits(network)
    for name, wanted in after.codes.items():
        last = name == network.readout.name
        if name in exact and not np.array_equal(
            logits.reshape(wanted.shape) if last else trials.values(name), wanted
        ):
            return name
    return None


def same_weights(task: Task, before: Converted, after: Converted) -> str | None:
    """Tuning moves thresholds and biases only."""
    for (_, old), (name, new) in zip(before.weights(), after.weights()):
        if not np.array_equal(old, new):
            return name
    return None
