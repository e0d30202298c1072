"""Who may import whom (design, section 6): read from the source and in a fresh interpreter."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hwgen.cli import COMMANDS

ROOT = Path(__file__).parents[1]

# The parts of hwgen that each part may import, besides itself.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "caution": {"errors"},
    "suggest": {"errors"},
    "arguments": {"errors"},
    "network": {"errors"},
    "validation": {"errors", "reading"},
    "reading": {"errors"},
    "artefact": {"errors", "network"},
    "artefact.build_folder": {"artefact", "plan"},
    "datasets": {"errors"},
    "resources": {"errors"},
    "caches": set(),
    "processes": set(),
    "version": {"resources"},
    "boards": {"errors", "resources"},
    "conversion": {"artefact", "errors", "network", "datasets", "golden", "version"},
    "golden": {"datasets", "errors", "network"},
    "plan": {"errors", "network", "boards"},
    "rtl": {"network", "plan"},  # of network, only the types that plans hold: see below
    "build": {"artefact", "boards", "network", "report", "simulation", "synthesis"},
    "generation": {
        "artefact", "boards", "build", "caches", "errors", "golden", "network", "plan", "resources",
        "rtl", "version",
    },
    "simulation": {
        "artefact", "caches", "errors", "golden", "network", "plan", "processes", "resources",
    },
    "synthesis": {"artefact", "boards", "caches", "errors", "processes", "resources"},
    "report": {"artefact", "boards", "errors", "plan", "simulation", "synthesis"},
    "sim": {"simulation"},
}  # fmt: skip
# Packages that only some parts may import.
HEAVY = {
    "torch": {"conversion"},
    "safetensors": {"conversion"},
    "amaranth": {"rtl", "generation"},
    "cocotb": {"sim"},
    "cocotb_tools": {"simulation"},
    "click": {"cli", "commands"},
    "rich": {"cli", "commands"},
    "jinja2": {"report", "simulation"},
    "pydantic": {
        "artefact",
        "artefact.build_folder",
        "boards",
        "plan",
        "report",
        "simulation",
        "synthesis",
        "validation",
    },
}
# What the command line may import before a command runs.
LIGHT = {
    "click", "hwgen.commands", "hwgen.conversion.choices", "hwgen.conversion.combinations",
    "hwgen.conversion.methods.registry", "hwgen.errors", "hwgen.simulation.options",
    "hwgen.suggest",
}  # fmt: skip


def part_of(path: Path) -> str:
    """``hwgen/golden/run.py`` → golden, ``sim/runner.py`` → sim, ``hwgen/__init__.py`` → hwgen."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] == "sim":
        return "sim"
    if ".".join(parts[1:]) in ALLOWED:
        return ".".join(parts[1:])  # a file with rules of its own
    return "hwgen" if parts[1] == "__init__" else parts[1]


def sources() -> list[Path]:
    return sorted(path for top in ("hwgen", "sim") for path in (ROOT / top).rglob("*.py"))


def imported(tree: ast.AST, path: Path) -> Iterator[str]:
    """Dotted names that a syntax tree imports; relative ones made absolute."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module or ""]))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def without_typing(tree: ast.Module) -> ast.Module:
    """The tree less its ``if TYPE_CHECKING:`` blocks, which import nothing at run time."""

    class Drop(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | None:
            if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                return None
            return self.generic_visit(node)

    return ast.fix_missing_locations(Drop().visit(tree))


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_design(path: Path) -> None:
    part = part_of(path)
    names = set(imported(without_typing(ast.parse(path.read_text("utf-8"))), path))
    for package, parts in HEAVY.items():
        if part not in parts:
            found = sorted(name for name in names if name.split(".")[0] == package)
            assert not found, f"only {', '.join(sorted(parts))} may import {package}"
    if part in ("cli", "commands", "hwgen", "__main__"):
        return  # they import what each command needs, when it needs it
    others = {name.split(".")[1] for name in names if name.startswith("hwgen.")}
    others |= {"sim" for name in names if name.split(".")[0] == "sim"}
    everywhere = {"arguments", "caution", "errors", "reading", "suggest", "validation"}
    allowed = ALLOWED[part] | {part} | everywhere
    assert others <= allowed, f"{part} may import {sorted(allowed)} only"


def test_hardware_knows_the_network_only_by_its_plan() -> None:
    """Units take all that they build from the plan and its constants."""
    names = {
        name.name
        for path in (ROOT / "hwgen/rtl").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hwgen.network")
        for name in node.names
    }
    assert names == {"InputCode", "InverseLeak"}


@pytest.mark.parametrize("name", ["hwgen/cli.py", "hwgen/commands"])
def test_commands_import_what_they_need_inside(name: str) -> None:
    top = ROOT / name
    for path in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
        tree = without_typing(ast.parse(path.read_text("utf-8")))
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        for found in imported(tree, path):
            light = found.split(".")[0] in sys.stdlib_module_names or any(
                found == allowed or found.startswith(f"{allowed}.") for allowed in LIGHT
            )
            assert light or found == "hwgen", f"{path}: import {found} inside the command"


def loaded(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after ``code``."""
    script = f"{code}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("module", ["hwgen", "hwgen.golden", "hwgen.plan", "hwgen.artefact"])
def test_arithmetic_needs_neither_torch_nor_amaranth(module: str) -> None:
    assert not loaded(f"import {module}") & {"torch", "amaranth", "cocotb", "click"}


def test_hardware_needs_no_torch() -> None:
    assert "torch" not in loaded("import hwgen.generation.design")


def test_conversion_needs_no_amaranth() -> None:
    assert "amaranth" not in loaded("import hwgen.conversion")


@pytest.mark.parametrize("module", ["options", "provenance", "combinations", "methods.registry"])
def test_options_need_no_torch(module: str) -> None:
    assert "torch" not in loaded(f"import hwgen.conversion.{module}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *([command, "--help"] for command in COMMANDS),
        ["methods", "--combinations"],
        ["methods"],
    ],
    ids=" ".join,
)
def test_help_and_methods_load_nothing_heavy(arguments: list[str]) -> None:
    """They answer at once: only click is loaded and, for tables, rich."""
    packages = loaded(f"from hwgen.cli import run\nassert run({arguments}) == 0")
    light = {"click"} if "--help" in arguments else {"click", "rich"}
    assert not packages & ({*HEAVY, "numpy", "yaml", "sklearn", "threadpoolctl"} - light)
