"""Stages of a conversion: each makes a graph of the one before, which is verified and compared.

After each stage the graph is checked twice: ``verify()`` checks its structure, and a numerical
check runs it on a few calibration images. Where the two graphs must compute the same, values are
compared layer by layer with those before the stage, down to the float model itself. A difference
is a bug of hwgen: :class:`RuntimeError` names the stage and the first layer that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch.export import ExportedProgram

from hwgen.conversion.calibration.allocation import choose_timesteps
from hwgen.conversion.calibration.checks import check_labels
from hwgen.conversion.calibration.finetuning import finetune
from hwgen.conversion.calibration.images import spread
from hwgen.conversion.converted import Converted
from hwgen.conversion.dump import dump_graph
from hwgen.conversion.float_graph import FloatGraph, Population
from hwgen.conversion.frontend.torch_trace import trace
from hwgen.conversion.fusion.clamps import merge_clamps
from hwgen.conversion.fusion.fuse import fuse
from hwgen.conversion.op_graph import INPUT, GraphError, OpGraph
from hwgen.conversion.quantisation.layerwise import layerwise
from hwgen.conversion.quantisation.outline import require_legal_trains
from hwgen.conversion.stage_checks import (
    same_as_model,
    same_codes,
    same_operations,
    same_populations,
    same_structure,
    same_weights,
)
from hwgen.conversion.task import Task
from hwgen.errors import ConversionError, NetworkError

SENSITIVITY_IMAGES = 1000
Graph = ExportedProgram | OpGraph | FloatGraph | Converted


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage; ``check`` gets the graphs before and after, and names the first wrong layer."""

    name: str
    run: Callable[[Task, Any], Graph]
    check: Callable[[Task, Any, Any], str | None]
    wanted: Callable[[Task], bool] = lambda task: True  # whether it is part of this conversion
    repeated: bool = False  # whether it runs again for every way to convert (effort "best")
    decide: Callable[[Task, Any], Task] = lambda task, graph: task  # for later stages, by its graph


def run_stages(
    task: Task,
    graph: Graph,
    stages: Sequence[Stage],
    dump: Path | None = None,
    *,
    done: int = 0,
) -> tuple[Task, dict[str, Graph]]:
    """The task as the stages leave it; and graphs by stage, the last one the result.

    They are saved in the folder ``dump`` if there is one.

    ``graph`` is the result of the ``done`` stages before.
    """
    graphs: dict[str, Graph] = {}
    for stage in stages:
        if not stage.wanted(task):
            continue
        made = stage.run(task, graph)
        assert isinstance(made, OpGraph | FloatGraph | Converted)
        if dump is not None:  # before the checks, whose failure it may explain
            dump_graph(dump, f"{done + len(graphs) + 1:02}-{stage.name}", made)
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
    return task, graphs


def _fuse(task: Task, graph: OpGraph) -> FloatGraph:
    if task.check is not None:
        task.check(graph)
    linear = task.options.neuron.signed
    fused = fuse(graph, scale=task.scale, offset=task.offset, linear=linear)
    populations = [node for node in fused.nodes if isinstance(node, Population)]
    check_labels(task.labels, logits=len(populations[-1].bias))
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
    images = task.images[spread(len(task.images), SENSITIVITY_IMAGES)]
    chosen = choose_timesteps(graph, images, options, task.progress)
    layers = {**options.layer_timesteps, **chosen}
    return replace(task, options=replace(options, layer_timesteps=layers))


def _finetune(task: Task, graph: FloatGraph) -> FloatGraph:
    assert task.finetuning is not None
    return finetune(graph, task.training_images, task.options, task.finetuning, task.progress)


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
        repeated=True,
    ),
    Stage(name="quantise", run=_quantise, check=same_codes, repeated=True),
    Stage(
        name="tune",
        run=_tune,
        check=same_weights,
        wanted=lambda task: task.tuner is not None,
        repeated=True,
    ),
)
