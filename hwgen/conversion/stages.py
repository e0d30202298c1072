"""Stages of a conversion: each makes a graph of the one before, which is verified and compared.

After each stage the graph is checked twice: ``verify()`` checks its structure, and a numerical
check runs it on a few calibration images. Where the two graphs must compute the same, values are
compared layer by layer with those before the stage, down to the float model itself. A difference
is a bug of hwgen: :class:`RuntimeError` names the stage and the first layer that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch.export import ExportedProgram

from hwgen.conversion.calibration.allocation import choose_timesteps
from hwgen.conversion.calibration.finetuning import finetune
from hwgen.conversion.calibration.float_run import run_nodes
from hwgen.conversion.converted import Converted
from hwgen.conversion.dump import dump_graph
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.frontend.torch_program import run_program, run_program_nodes
from hwgen.conversion.frontend.torch_trace import trace
from hwgen.conversion.fusion.clamps import merge_clamps
from hwgen.conversion.fusion.fuse import fuse
from hwgen.conversion.op_graph import INPUT, GraphError, OpGraph
from hwgen.conversion.op_run import Values, run_ops
from hwgen.conversion.quantisation.layerwise import KEPT_IMAGES, layerwise
from hwgen.conversion.quantisation.outline import require_legal_trains
from hwgen.conversion.task import Task
from hwgen.errors import ConversionError, NetworkError
from hwgen.golden.trials import Trials
from hwgen.network import Flatten, Layer, MaxPool2d

RELATIVE, ROUNDING = 1e-3, 1e-5  # of a layer's largest value; of the largest of all layers
Graph = ExportedProgram | OpGraph | FloatGraph | Converted


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage; ``check`` gets the graphs before and after, and names the first wrong layer."""

    name: str
    run: Callable[[Task, Any], Graph]
    check: Callable[[Task, Any, Any], str | None]
    wanted: Callable[[Task], bool] = lambda task: True  # whether it is part of this conversion
    decide: Callable[[Task, Any], Task] = lambda task, graph: task  # for later stages, by its graph


def run_stages(
    task: Task, program: ExportedProgram, stages: Sequence[Stage], dump: Path | None = None
) -> dict[str, Graph]:
    """Graphs by stage, the last one the result; saved in the folder ``dump`` if there is one."""
    graph: Graph = program
    graphs: dict[str, Graph] = {}
    for stage in stages:
        if not stage.wanted(task):
            continue
        made = stage.run(task, graph)
        assert isinstance(made, OpGraph | FloatGraph | Converted)
        if dump is not None:  # before the checks, whose failure it may explain
            dump_graph(dump, f"{len(graphs) + 1:02}-{stage.name}", made)
        try:
            made.verify()
        except GraphError as error:
            raise RuntimeError(f"stage {stage.name!r}: {error}: a bug of hwgen") from error
        except NetworkError as error:
            raise ConversionError(f"the model gives no legal network: {error}") from error
        if (layer := stage.check(task, graph, made)) is not None:
            raise RuntimeError(
                f"stage {stage.name!r}: layer {layer!r} differs from the graph before the stage: "
                f"a bug of hwgen"
            )
        graphs[stage.name] = graph = made
        task = stage.decide(task, graph)
    return graphs


# --- numerical checks ---------------------------------------------------------------------------


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


# --- stages -------------------------------------------------------------------------------------


def _fuse(task: Task, graph: OpGraph) -> FloatGraph:
    linear = task.options.neuron.signed
    fused = fuse(graph, scale=task.scale, offset=task.offset, linear=linear)
    populations = [node for node in fused.nodes if isinstance(node, Population)]
    last_fires = task.options.decoder.fires
    layers = [INPUT, *(node.name for node in populations if node.fires or last_fires)]
    unknown = [name for name in task.options.layer_timesteps if name not in layers]
    if unknown:
        raise ConversionError(
            f"timesteps are given for {', '.join(unknown)}, but the network has {', '.join(layers)}"
        )
    require_legal_trains(fused, task.options)
    return fused


def _choose_timesteps(task: Task, graph: FloatGraph) -> Task:
    """The task with timesteps for every layer, where only their mean is given."""
    options = task.options
    if options.mean_timesteps is None:
        return task
    chosen = choose_timesteps(graph, task.images, options, task.progress)
    layers = {**options.layer_timesteps, **chosen}
    return replace(task, options=replace(options, layer_timesteps=layers))


def _finetune(task: Task, graph: FloatGraph) -> FloatGraph:
    assert task.finetuning is not None
    return finetune(graph, task.all_images, task.options, task.finetuning, task.progress)


def _quantise(task: Task, graph: FloatGraph) -> Converted:
    return layerwise(graph, task.images, task.options, task.progress)


def _tune(task: Task, converted: Converted) -> Converted:
    assert task.tuner is not None
    assert task.labels is not None
    return task.tuner(converted, task.images, task.labels, task.options, task.progress)


STAGES = (
    Stage(name="trace", run=lambda task, program: trace(program), check=same_as_model),
    Stage(name="merge-clamps", run=lambda task, graph: merge_clamps(graph), check=same_operations),
    Stage(name="fuse", run=_fuse, check=same_populations, decide=_choose_timesteps),
    Stage(
        name="fine-tune",
        run=_finetune,
        check=same_structure,
        wanted=lambda task: task.finetuning is not None,
    ),
    Stage(name="quantise", run=_quantise, check=same_codes),
    Stage(name="tune", run=_tune, check=same_weights, wanted=lambda task: task.tuner is not None),
)
