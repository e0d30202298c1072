"""Counts over the source of a checkout, from its syntax trees: where types would do better."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

KIND_WORDS = {
    "neurons": "ilif if2 if if_hard if-hard inverse_leaky soft_reset hard_reset "
    "time_to_first_spike",
    "codes": "radix rate ttfs direct poisson events",
    "decoders": "membrane softmax spike_count first_spike readout read_out softmax_readout "
    "softmax_read_out",
    "nodes": "layer max_pool2d flatten conv2d linear identity",
    "schedules, pipelines, layouts": "row time overlap alternate raster pixel",
    "memories": "auto block lut split",
    "units": "two-phase two_phase single-phase single_phase held constant-current constant_current",
    "synaptic paths": "masked every events scan scanned",
    "families": "ecp5 ice40",
}
KINDS = frozenset(word for words in KIND_WORDS.values() for word in words.split())
READERS = (
    # Places where files and options are read: a kind is a string there.
    "hwgen/artefact/", "hwgen/commands/", "hwgen/cli.py", "hwgen/boards.py", "hwgen/manifest.py",
    "hwgen/plan/folding_file.py",
)  # fmt: skip
_TABLES = {
    "other libraries' objects": "Literal call meta env environ environment filters",
    "signals by name in one unit": "axes _axes step_axes shifts ports port",
    "a Yosys netlist, an npz file": "cell cells block module modules design content archive",
}
LOCAL_TABLES = frozenset(name for names in _TABLES.values() for name in names.split())
"""Names whose string subscripts are not a boundary of hwgen."""
_NEURON = re.compile(r"(Neuron|Readout|ReadOut)$")


@dataclass(frozen=True)
class Source:
    """A parsed file; ``name`` is its path in the checkout."""

    name: str
    tree: ast.Module
    lines: int


def sources(root: Path) -> list[Source]:
    """Python files of ``hwgen/`` and ``sim/``."""
    found = []
    for top in ("hwgen", "sim"):
        for path in sorted((root / top).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            name = path.relative_to(root).as_posix()
            found.append(Source(name, ast.parse(text), len(text.splitlines())))
    return found


def neuron_names(files: list[Source]) -> frozenset[str]:
    """Classes of ``hwgen/network/`` whose names end as neurons' do, and unions of them."""
    trees = [file.tree for file in files if file.name.startswith("hwgen/network/")]
    names = {
        node.name.lstrip("_")
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and _NEURON.search(node.name)
    }
    for _ in trees:  # a union may be of unions
        for tree in trees:
            for node in tree.body:
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
                    members = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
                    if members <= names:
                        names |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    return frozenset(names)


def class_tests(file: Source, neurons: frozenset[str]) -> Iterator[int]:
    """Lines of isinstance(), issubclass(), type() is and class patterns of neurons.

    Outside ``hwgen/network/``. One isinstance() of several classes counts once.
    """
    if file.name.startswith("hwgen/network/"):
        return
    for node in ast.walk(file.tree):
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, classes]):
                if _names(classes) & neurons:
                    yield node.lineno
            case ast.MatchClass(cls=cls) if _names(cls) & neurons:
                yield node.cls.lineno
            case ast.Compare(left=ast.Call(func=ast.Name(id="type")), comparators=[other]):
                if _names(other) & neurons:
                    yield node.lineno


def kind_comparisons(file: Source) -> Iterator[int]:
    """Lines of ==, !=, in, not in and case with a literal of :data:`KINDS`.

    Outside :data:`READERS`. A tuple, list or set of literals counts once.
    """
    if file.name.startswith(READERS):
        return
    for node in ast.walk(file.tree):
        match node:
            case ast.Compare(ops=ops, left=left, comparators=comparators):
                sides = [left, *comparators]
                equals = all(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in ops)
                if equals and any(map(_is_kind, sides)):
                    yield node.lineno
            case ast.MatchValue(value=value) if _is_kind(value):
                yield node.value.lineno


def string_subscripts(file: Source) -> Iterator[int]:
    """Lines of x["constant"] and x.get("constant"), read or written.

    Every subscript of a chain counts. Subscripts of names in :data:`LOCAL_TABLES`, of names in
    capitals and of a json.loads() call do not.
    """
    for node in ast.walk(file.tree):
        match node:
            case ast.Subscript(value=of, slice=ast.Constant(value=str())):
                pass
            case ast.Call(
                func=ast.Attribute(value=of, attr="get"), args=[ast.Constant(value=str()), *_]
            ):
                pass
            case _:
                continue
        name = _root(of)
        if name not in LOCAL_TABLES and not name.isupper() and name != "loads":
            yield node.lineno


def growth_definitions(file: Source) -> Iterator[int]:
    """Lines of expressions (V·n) >> m or (V·n) // 2^m, outside ``hwgen/rtl/``."""
    if file.name.startswith("hwgen/rtl/"):
        return
    for node in ast.walk(file.tree):
        match node:
            case ast.BinOp(op=ast.RShift(), left=product, right=bits):
                divided = _ends(bits, "m")
            case ast.BinOp(op=ast.FloorDiv(), left=product, right=ast.BinOp(right=bits)):
                divided = _ends(bits, "m")
            case _:
                continue
        if (
            divided
            and isinstance(product, ast.BinOp)
            and isinstance(product.op, ast.Mult)
            and (_ends(product.left, "n") or _ends(product.right, "n"))
        ):
            yield node.lineno


def all_counts(files: list[Source]) -> dict[str, list[str]]:
    """Places ``file:line`` of each count."""
    neurons = neuron_names(files)
    rules: dict[str, Callable[[Source], Iterator[int]]] = {
        "class tests on neurons outside network/": lambda file: class_tests(file, neurons),
        "comparisons with string kinds": kind_comparisons,
        "string subscripts": string_subscripts,
        "definitions of ⌊V·n/2^m⌋ outside RTL": growth_definitions,
    }
    return {
        title: [f"{file.name}:{line}" for file in files for line in sorted(rule(file))]
        for title, rule in rules.items()
    }


def _names(node: ast.AST) -> set[str]:
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return found | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def _is_kind(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str(value)):
            return value in KINDS
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            return any(map(_is_kind, elements))
    return False


def _root(node: ast.expr) -> str:
    """``seen`` of ``self.seen["words"][3]``, ``step_axes`` of ``step_axes(m)``."""
    match node:
        case ast.Subscript(value=inner):
            return _root(inner)
        case ast.Call(func=ast.Attribute(attr="get" | "pop" | "setdefault", value=inner)):
            return _root(inner)
        case ast.Call(func=inner):
            return _root(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _ends(node: ast.expr, name: str) -> bool:
    match node:
        case ast.Attribute(attr=attribute):
            return attribute == name
        case ast.Name(id=identifier):
            return identifier == name
    return False
