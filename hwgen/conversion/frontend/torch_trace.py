"""PyTorch to :class:`OpGraph`: every operator of the traced forward, or a refusal that names it.

The forward is traced with torch.export, so functional and module forms look alike. Parts
that do not depend on the images (weight reparametrisations, masks, constants) are computed once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch.export import ExportedProgram

from hwgen.conversion.frontend.ends import end_of, operator_name
from hwgen.conversion.frontend.operators.call import HANDLERS, Call, Ref, Refusal
from hwgen.conversion.frontend.plain import first_line, plain
from hwgen.conversion.frontend.refusals import Refused, refuse
from hwgen.conversion.frontend.remedies import remedy
from hwgen.conversion.frontend.torch_program import (
    MODEL_ERRORS,
    constants_of,
    user_input,
    user_output,
)
from hwgen.conversion.op_graph import INPUT, Op, OpGraph, Place, unique
from hwgen.errors import ConversionError

_CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


def trace(program: ExportedProgram) -> OpGraph:
    """Operations of ``program`` between the images and the logits.

    Raises :class:`.ConversionError`, which lists all unsupported operators by their kind, with
    remedies.
    """
    tracer = _Tracer(program)
    for node in program.graph.nodes:
        if node in tracer.live:
            tracer.visit(node)
    refuse(tracer.refusals)
    if not isinstance(tracer.output, Ref):
        raise ConversionError("the logits do not depend on the images")
    _, channels, height, width = user_input(program).meta["val"].shape
    return OpGraph(
        input_shape=(int(channels), int(height), int(width)),
        ops=tuple(tracer.ops),
        output=tracer.output.name,
        origins=tracer.origins(),
    )


@dataclass
class _Tracer:
    program: ExportedProgram
    ops: list[Op] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
    output: Any = None

    def __post_init__(self) -> None:
        self.values: dict[torch.fx.Node, Any] = {}
        self.names = {INPUT}
        self.refused: set[torch.fx.Node] = set()
        self.images = user_input(self.program)
        if len(self.images.meta["val"].shape) != 4:
            raise ConversionError(
                f"the model must take images (samples, channels, height, width), not a tensor of "
                f"{len(self.images.meta['val'].shape)} axes"
            )
        self.constants = constants_of(self.program)
        self.end = user_output(self.program)
        self.live = _ancestors(self.end) | {self.program.graph.output_node()}
        self.last = end_of(self.end)

    def visit(self, node: torch.fx.Node) -> None:
        match node.op:
            case "placeholder" if node is self.images:
                self.values[node] = Ref(INPUT, _shape(node))
            case "placeholder":
                self.values[node] = self.constants[node.name]
            case "get_attr":
                self.values[node] = getattr(self.program.graph_module, str(node.target))
            case "output":
                self.output = self.values[self.end]
            case "call_function":
                self.values[node] = self._call(node)
            case _:
                self._refuse(node, "only calls of operators can be converted")

    def _call(self, node: torch.fx.Node) -> Any:
        args: Any = torch.fx.map_arg(node.args, lambda n: self.values[n])
        kwargs: Any = torch.fx.map_arg(node.kwargs, lambda n: self.values[n])
        given = [self.values[n] for n in node.all_input_nodes]
        refs = [value for value in given if isinstance(value, Ref)]
        if not refs:
            return self._constant(node, args, kwargs)
        operator = operator_name(node)
        if operator == "sym_size":  # size of a symbolic batch, for a view
            axis = args[1]
            return refs[0].shape[axis - 1] if isinstance(axis, int) and axis else -1
        if operator == "getitem":
            if args[1] != 0 and node.all_input_nodes[0] not in self.refused:
                self._refuse(node, "only the first result of an operator can be used")
            return refs[0]
        handler = HANDLERS.get(operator)
        shape = _shape(node)
        if handler is None:
            self._refuse(node, remedy(operator))
            return Ref(refs[0].name, shape)
        call = Call(
            name=self._name(node),
            where=_where(node),
            shape=shape,
            floating=_value(node).dtype.is_floating_point,
            last=node in self.last,
            arguments=_bind(node, args, kwargs),
        )
        try:
            result = handler(call)
        except Refusal as refusal:
            self._refuse(node, str(refusal))
            return Ref(refs[0].name, shape)
        if isinstance(result, Ref):
            return result
        for op in result:
            self.names.add(op.name)
            self.ops.append(op)
        return Ref(result[-1].name, shape)

    def _constant(self, node: torch.fx.Node, args: Any, kwargs: Any) -> Any:
        try:
            with torch.no_grad():
                return node.target(*args, **kwargs)  # type: ignore[operator]
        except MODEL_ERRORS as error:
            self._refuse(node, f"cannot be computed ahead of time: {first_line(error)}")
            return torch.zeros(())

    def origins(self) -> dict[str, str]:
        """Nodes of the program by the operation that gives their values."""
        found: dict[str, str] = {}
        for node, value in self.values.items():
            if isinstance(value, Ref) and isinstance(node.meta.get("val"), torch.Tensor):
                found.setdefault(value.name, node.name)
        return found

    def _refuse(self, node: torch.fx.Node, why: str) -> None:
        self.refused.add(node)
        self.refusals.append(Refused(_where(node), why))

    def _name(self, node: torch.fx.Node) -> str:
        path, kind = _module(node)
        leaf = kind.startswith("torch.nn.") and kind.split(".")[-1] not in _CONTAINERS
        name = path if leaf and path else ".".join(filter(None, (path, node.name)))
        return unique(name, self.names)


def _ancestors(node: torch.fx.Node) -> set[torch.fx.Node]:
    found: set[torch.fx.Node] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, torch.fx.Node) and current not in found:
            found.add(current)
            waiting.extend(current.all_input_nodes)
    return found


def _bind(node: torch.fx.Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments by the names of the operator's schema, defaults filled in."""
    assert isinstance(node.target, torch._ops.OpOverload)
    schema = node.target._schema.arguments
    bound = {a.name: a.default_value for a in schema if a.has_default_value()}
    bound.update(zip((a.name for a in schema), args))
    bound.update(kwargs)
    return bound


def _value(node: Any) -> torch.Tensor:
    value = node.meta["val"]
    first = value[0] if isinstance(value, tuple | list) else value
    assert isinstance(first, torch.Tensor)
    return first


def _shape(node: Any) -> tuple[int, ...]:
    """Shape of a node's (first) result without the samples' axis; −1 for a symbolic length.

    One number per sample is one feature, whether the model keeps an axis for it or not.
    """
    return tuple(n if isinstance(n, int) else -1 for n in _value(node).shape[1:]) or (1,)


def _module(node: torch.fx.Node) -> tuple[str, str]:
    """Path and class of the innermost module that the node was traced in."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path, kind = stack[-1] if stack else ("", "")
    kind = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
    # a module that is called again has "@1" behind its path
    return path.removeprefix("L['self'].").split("@")[0], kind


def _where(node: torch.fx.Node) -> Place:
    """``features.3 (Sigmoid)``, or ``block.forward, "F.gelu(x)"`` for a function's call."""
    path, kind = _module(node)
    kind = kind.split(".")[-1]
    if path and kind not in _CONTAINERS and "torch.nn." in _module(node)[1]:
        return Place(plain(path), plain(kind))
    lines = [line.strip() for line in node.meta.get("stack_trace", "").splitlines()]
    at = f"{path + '.' if path else ''}forward"
    return Place(plain(at), operator_name(node), plain(lines[-1]) if lines else "")
