"""A PyTorch model as a torch.export program, or a clear message why it cannot become one."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind

from hwgen.conversion.frontend.ends import logits_of
from hwgen.conversion.frontend.plain import first_line
from hwgen.conversion.frontend.unsuitable import quiet_tracing, require_suitable, untraceable
from hwgen.errors import ConversionError
from hwgen.network import Shape

# Raised by a model's own forward, and by its tracing, for unsuitable input.
MODEL_ERRORS = (
    *(RuntimeError, ValueError, TypeError),
    *(IndexError, KeyError, AttributeError, AssertionError),
)
BATCH = 2  # not 1: torch.export treats a batch of one as a constant, and views may drop it
_SIZES = (28, 32, 8, 16, 14, 24, 34, 40, 48, 56, 64, 96, 112, 128, 160, 192, 224, 256, 299)


def export(
    model: nn.Module | ExportedProgram, shape: Shape, *, batch: int = BATCH
) -> ExportedProgram:
    """Export ``model`` for float32 images of ``shape`` (channels, height, width).

    The program runs ``batch`` images at a time, at least two. A module is copied to the CPU in eval
    mode and float32; the caller's does not change. Raises :class:`.ConversionError` if it does not
    accept such images, returns no logits, or cannot be traced.
    """
    if isinstance(model, ExportedProgram):
        _require_program_shape(model, shape)
        return model
    if not isinstance(model, nn.Module):
        raise ConversionError(
            f"the model must be a torch.nn.Module or a torch.export program, not "
            f"{type(model).__name__}"
        )
    require_suitable(model)
    try:
        module = copy.deepcopy(model).eval().cpu().float()
    except MODEL_ERRORS as error:
        raise ConversionError(f"the model cannot be copied: {first_line(error)}") from error
    images = torch.zeros(batch, *shape)
    _require_logits(module, images)
    with quiet_tracing():
        try:
            return torch.export.export(module, (images,), strict=False)
        except MODEL_ERRORS as error:
            raise untraceable(error) from error


def run_program(program: ExportedProgram, images: np.ndarray) -> np.ndarray:
    """Logits (samples, logits) of float ``images`` (samples, channels, height, width).

    They are the values before activations at the end (:mod:`hwgen.conversion.frontend.ends`).
    """
    name = logits_of(user_output(program)).name
    return run_program_nodes(program, images, only=name)[name].reshape(len(images), -1)


def run_program_nodes(
    program: ExportedProgram, images: np.ndarray, *, only: str | None = None
) -> dict[str, np.ndarray]:
    """Tensors of the traced graph's nodes, or of one of them, by name, for float ``images``."""
    recorder = _Recorder(program.graph_module, only)
    _run(program, images, recorder)
    return {name: np.concatenate(parts)[: len(images)] for name, parts in recorder.results.items()}


class _Recorder(torch.fx.Interpreter):
    """Keeps the tensors of every node, or of one, for each batch."""

    def __init__(self, module: torch.fx.GraphModule, only: str | None) -> None:
        super().__init__(module)
        self.only = only
        self.results: dict[str, list[np.ndarray]] = {}

    def run_node(self, n: torch.fx.Node) -> Any:
        result = super().run_node(n)
        wanted = n.op == "call_function" if self.only is None else n.name == self.only
        if wanted and isinstance(result, torch.Tensor) and result.ndim:
            # A copy, as the model may change the tensor in place.
            self.results.setdefault(n.name, []).append(result.detach().clone().numpy())
        return result


def _run(program: ExportedProgram, images: np.ndarray, interpreter: torch.fx.Interpreter) -> None:
    """Run ``images`` in batches of the traced size."""
    tensor = torch.from_numpy(images).float()
    value = user_input(program).meta["val"]
    batch = value.shape[0] if isinstance(value.shape[0], int) else len(images)
    constants = constants_of(program)
    with torch.no_grad():
        for start in range(0, len(images), batch):
            part = tensor[start : start + batch]
            filled = torch.cat([part, part[-1:].expand(batch - len(part), *part.shape[1:])])
            given = [
                constants.get(node.name, filled.to(value.dtype)) for node in placeholders(program)
            ]
            interpreter.run(*given)


def placeholders(program: ExportedProgram) -> Iterator[torch.fx.Node]:
    return (node for node in program.graph.nodes if node.op == "placeholder")


def constants_of(program: ExportedProgram) -> dict[str, Any]:
    """Parameters, buffers and constants, by the name of their placeholder."""
    known: dict[str, Any] = {}
    for spec in program.graph_signature.input_specs:
        if spec.kind == InputKind.USER_INPUT:
            continue
        target = spec.target
        if target in program.state_dict:
            known[spec.arg.name] = program.state_dict[target].detach()
        elif target in program.constants and isinstance(program.constants[target], torch.Tensor):
            known[spec.arg.name] = program.constants[target].detach()
        else:
            raise ConversionError(
                f"the model holds {target!r}, which is not a tensor ({spec.kind.name}); only "
                f"parameters, buffers and tensor constants can be converted"
            )
    return known


def user_input(program: ExportedProgram) -> torch.fx.Node:
    """The placeholder of the images."""
    names = [
        getattr(spec.arg, "name", "?")
        for spec in program.graph_signature.input_specs
        if spec.kind == InputKind.USER_INPUT
    ]
    nodes = [node for node in placeholders(program) if node.name in names]
    if len(names) != 1 or len(nodes) != 1 or not isinstance(nodes[0].meta.get("val"), torch.Tensor):
        raise ConversionError(
            f"the model must take one tensor, the images, not {len(names)} inputs: "
            f"{', '.join(names)}"
        )
    return nodes[0]


def user_output(program: ExportedProgram) -> torch.fx.Node:
    """The node that the model returns, of its logits."""
    specs = program.graph_signature.output_specs
    found = [i for i, spec in enumerate(specs) if spec.kind == OutputKind.USER_OUTPUT]
    if len(found) != 1:
        raise ConversionError(
            f"the model must return one tensor, the logits, not {len(found)}; wrap it in a module "
            f"that returns the logits alone"
        )
    output: torch.fx.Node = program.graph.output_node().args[0][found[0]]
    return output


def _require_program_shape(program: ExportedProgram, shape: Shape) -> None:
    value = user_input(program).meta["val"]
    expected = tuple(value.shape[1:])
    if all(isinstance(n, int) for n in expected) and expected != shape:
        raise ConversionError(
            f"the images are {shape} (channels, height, width), but the program was exported for "
            f"{expected}; use images of that size, or export it for this one"
        )


def _require_logits(module: nn.Module, images: torch.Tensor) -> None:
    shape = tuple(images.shape[1:])
    try:
        with torch.no_grad(), redirect_stdout(sys.stderr):  # a result may go to standard output
            logits = module(images)
    except MODEL_ERRORS as error:
        expected = _expected_shape(module, shape)
        remedy = (
            f"it accepts {expected}; use images of that size" if expected else "check its input"
        )
        raise ConversionError(
            f"the model does not accept images of {shape} (channels, height, width): "
            f"{first_line(error)}; {remedy}"
        ) from error
    if not isinstance(logits, torch.Tensor):
        raise ConversionError(
            f"the model must return one tensor, the logits, not {type(logits).__name__}; wrap it "
            f"in a module that returns the logits alone"
        )
    if not _are_logits(logits, len(images)):
        raise ConversionError(
            f"the model must return logits of shape (samples, classes) or (samples,), not "
            f"{tuple(logits.shape)} for {len(images)} samples"
        )


def _are_logits(output: torch.Tensor, samples: int) -> bool:
    return output.ndim in (1, 2) and len(output) == samples


def _expected_shape(module: nn.Module, shape: tuple[int, ...]) -> Shape | None:
    """A shape that the model accepts, found by trying."""
    for candidate in _candidates(module, shape):
        try:
            with torch.no_grad():
                logits = module(torch.zeros(BATCH, *candidate))
        except MODEL_ERRORS:
            continue
        if isinstance(logits, torch.Tensor) and _are_logits(logits, BATCH):
            return candidate
    return None


def _candidates(module: nn.Module, shape: tuple[int, ...]) -> Iterable[Shape]:
    first = next((m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear)), None)
    if isinstance(first, nn.Linear):
        for channels in dict.fromkeys((shape[0], 1, 3)):
            side = math.isqrt(first.in_features // channels)
            if channels * side * side == first.in_features:
                yield (channels, side, side)
        return
    channels = first.in_channels if isinstance(first, nn.Conv2d) else shape[0]
    yield (channels, shape[1], shape[2])
    for side in _SIZES:
        yield (channels, side, side)
