"""Stages of a conversion: each makes a graph of the one before, which is verified and compared.

After each stage the graph is checked twice: ``verify()`` checks its structure, and a numerical
check runs it on a few calibration images. Where the two graphs must compute the same, values are
compared layer by layer with those before the stage, down to the float model itself. A difference
is a bug of hwgen: :class:`RuntimeError` names the stage and the first layer that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch.export import ExportedProgram

from hwgen.conversion.calibration.finetuning import Finetuning, finetune
from hwgen.conversion.calibration.float_run import run_nodes
from hwgen.conversion.calibration.input_decoding import counts_of
from hwgen.conversion.converted import Converted, Progress, Tuner
from hwgen.conversion.dump import dump_graph
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.frontend.torch_program import run_program, run_program_nodes
from hwgen.conversion.frontend.torch_trace import trace
from hwgen.conversion.fusion.clamps import merge_clamps
from hwgen.conversion.fusion.fuse import fuse
from hwgen.conversion.op_graph import INPUT, GraphError, OpGraph
from hwgen.conversion.op_run import Values, run_ops
from hwgen.conversion.options import Options
from hwgen.conversion.quantisation.layerwise import KEPT_IMAGES, layerwise
from hwgen.errors import ConversionError, NetworkError
from hwgen.golden.trials import Trials
from hwgen.network import Input, Layer

CHECKED_IMAGES = 4
RELATIVE, ROUNDING = 1e-3, 1e-5  # of a layer's largest value; of the largest of all layers

Graph = ExportedProgram | OpGraph | FloatGraph | Converted


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """Everything that stages read besides the graph.

    Parameters
    ----------
    images : unsigned integer array
        Calibration images (samples, channels, height, width), or frames of events.
    all_images : the same, all that the user gave
    labels : integer array, shape (samples,), or None
        Labels of ``images``.
    scale, offset : float64 arrays, shape (channels,)
        The model gets scale · pixel + offset.
    options : Options
    finetuning : Finetuning or None
    tuner : function, or None
        Tuning of the method; needs labels.
    progress : function
    """

    images: np.ndarray
    all_images: np.ndarray
    labels: np.ndarray | None
    scale: np.ndarray
    offset: np.ndarray
    options: Options
    finetuning: Finetuning | None
    tuner: Tuner | None
    progress: Progress

    @property
    def few_pixels(self) -> np.ndarray:
        """Pixels for numerical checks."""
        return counts_of(self.images[:CHECKED_IMAGES])

    @property
    def few_ready(self) -> np.ndarray:
        """Inputs of the float model for ``few_pixels``, float32."""
        scale, offset = (array.reshape(-1, 1, 1) for array in (self.scale, self.offset))
        return np.asarray(self.few_pixels * scale + offset, np.float32)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage.

    Parameters
    ----------
    name : str
    run : function (task, graph) → graph
    check : function (task, graph before, graph after) → str or None
        First layer whose values or weights are not those that they must be.
    wanted : function (task) → bool
        Whether the stage is part of this conversion.
    """

    name: str
    run: Callable[[Task, Any], Graph]
    check: Callable[[Task, Any, Any], str | None]
    wanted: Callable[[Task], bool] = lambda task: True


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
        if dump is not None:
            dump_graph(dump, f"{len(graphs) + 1:02}-{stage.name}", made)
        graphs[stage.name] = graph = made
    return graphs


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
    return fused


def _finetune(task: Task, graph: FloatGraph) -> FloatGraph:
    assert task.finetuning is not None
    return finetune(graph, task.all_images, task.options, task.finetuning, task.progress)


def _quantise(task: Task, graph: FloatGraph) -> Converted:
    return layerwise(graph, task.images, task.options, task.progress)


def _tune(task: Task, converted: Converted) -> Converted:
    assert task.tuner is not None
    assert task.labels is not None
    return task.tuner(converted, task.images, task.labels, task.options, task.progress)


# --- checks -------------------------------------------------------------------------------------


def first_difference(before: Values, after: Values, origins: Mapping[str, str]) -> str | None:
    """First node of ``after`` whose values are not those of its origin, up to rounding."""
    largest = max(float(np.abs(values).max()) for values in before.values())
    for name, values in after.items():
        if (origin := origins.get(name)) not in before:
            continue
        wanted = before[origin].reshape(len(values), -1)
        tolerance = RELATIVE * float(np.abs(wanted).max()) + ROUNDING * largest
        same = np.isclose(
            values.reshape(len(values), -1), wanted, rtol=RELATIVE, atol=tolerance, equal_nan=True
        )
        if not same.all():
            return name
    return None


def _same_as_model(task: Task, program: ExportedProgram, graph: OpGraph) -> str | None:
    ready = task.few_ready
    if not np.isfinite(run_program(program, ready)).all():
        raise ConversionError("the model gives logits that are NaN or infinite on these images")
    return first_difference(run_program_nodes(program, ready), run_ops(graph, ready), graph.origins)


def _same_operations(task: Task, before: OpGraph, after: OpGraph) -> str | None:
    ready = task.few_ready
    return first_difference(run_ops(before, ready), run_ops(after, ready), after.origins)


def _same_populations(task: Task, before: OpGraph, after: FloatGraph) -> str | None:
    values = run_nodes(after, task.few_pixels)
    return first_difference(run_ops(before, task.few_ready), values, after.origins)


def _same_structure(task: Task, before: FloatGraph, after: FloatGraph) -> str | None:
    """Training changes weights, so values differ; but nodes, sources and windows stay."""
    for old, new in zip(before.nodes, after.nodes):
        if (old.name, old.sources) != (new.name, new.sources):
            return new.name
    return None


def _same_codes(task: Task, before: FloatGraph, after: Converted) -> str | None:
    """Golden must give the codes on which conversion calibrated, exactly.

    Layers are compared up to the first single-phase neuron or gate by spike count, neither of which
    has a closed form.
    """
    network = after.network()
    types, source = network.train_types, after.input
    trials = Trials(task.images[:KEPT_IMAGES])
    logits = trials.logits(network)
    exact = set() if types[source.name].constant_steps else {source.name}
    for node in (source, *network.nodes):
        if isinstance(node, Input):
            comparable = node.name in exact
        elif isinstance(node, Layer):
            comparable = exact.issuperset(node.sources) and node.neuron.two_phase
        else:
            comparable = exact.issuperset(node.sources) and types[node.source].in_order
        if not comparable or node.name not in after.codes:
            continue
        exact.add(node.name)
        wanted = after.codes[node.name]
        last = node is network.readout
        found = logits.reshape(wanted.shape) if last else trials.values(node.name)
        if not np.array_equal(found, wanted):
            return node.name
    return None


def _same_weights(task: Task, before: Converted, after: Converted) -> str | None:
    """Tuning moves thresholds and biases only."""
    for (_, old), (name, new) in zip(before.weights(), after.weights()):
        if not np.array_equal(old, new):
            return name
    return None


STAGES = (
    Stage(name="trace", run=lambda task, program: trace(program), check=_same_as_model),
    Stage(name="merge-clamps", run=lambda task, graph: merge_clamps(graph), check=_same_operations),
    Stage(name="fuse", run=_fuse, check=_same_populations),
    Stage(
        name="fine-tune",
        run=_finetune,
        check=_same_structure,
        wanted=lambda task: task.finetuning is not None,
    ),
    Stage(name="quantise", run=_quantise, check=_same_codes),
    Stage(
        name="tune",
        run=_tune,
        check=_same_weights,
        wanted=lambda task: task.tuner is not None,
    ),
)
