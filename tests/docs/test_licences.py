"""docs/licences.md: the dependencies of pyproject.toml, and their licences as installed."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
OSI = "License :: OSI Approved :: "


@dataclass(frozen=True)
class Row:
    extra: str
    licence: str


def normal(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def rows() -> dict[str, Row]:
    """Rows of the table, by package."""
    found: dict[str, Row] = {}
    for line in (ROOT / "docs/licences.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| package "):
            package, extra, licence, _ = (cell.strip() for cell in line.strip("|").split("|"))
            assert normal(package) not in found, f"{package} has two rows"
            found[normal(package)] = Row(extra, licence)
    return found


def users_extras() -> set[str]:
    """Extras that are not for work on hwgen itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return set(project["optional-dependencies"]) - {"bench", "dev", "docs"}


def declared() -> dict[str, set[str]]:
    """Extras of pyproject.toml that name each package; "–" for the dependencies of all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"–": project["dependencies"]} | project["optional-dependencies"]
    found: dict[str, set[str]] = {}
    for extra, requirements in groups.items():
        for requirement in requirements:
            match = re.match(r"[A-Za-z0-9._-]+", requirement)
            assert match, requirement
            if match[0] != "hwgen":
                found.setdefault(normal(match[0]), set()).add(extra)
    return found


def pinned() -> dict[str, str]:
    """Versions of packages that .ci/constraints.txt chooses; others state other licences."""
    lines = (ROOT / ".ci/constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if "==" in line)
    return {normal(name): version.strip() for name, version in pairs}


def stated_licence(package: Message) -> str:
    """Licence-Expression, else License, else the classifiers."""
    if expression := package["License-Expression"]:
        return str(expression)
    text = str(package["License"] or "").strip()
    if text and "\n" not in text:
        return text
    classifiers = [str(value) for value in package.get_all("Classifier") or []]
    names = [value.removeprefix(OSI) for value in classifiers if value.startswith(OSI)]
    return ", ".join(names) or "not stated"


def needed_by(extra: str) -> dict[str, str]:
    """Licence of each installed package that ``hwgen[extra]`` brings, directly or not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = project["optional-dependencies"]
    waiting = [Requirement(line) for line in [*project["dependencies"], *groups[extra]]]
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        wanted = waiting.pop()
        name, extras = normal(wanted.name), frozenset(wanted.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        if name == "hwgen":
            waiting += [Requirement(line) for other in extras for line in groups[other]]
            continue
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = stated_licence(package.metadata)
        for line in package.requires or ():
            needed = Requirement(line)
            if not needed.marker or any(
                needed.marker.evaluate({"extra": other}) for other in (extras or {""})
            ):
                waiting.append(needed)
    return found


def is_gpl(licence: str) -> bool:
    """Whether a licence leaves no choice but the GPL or the AGPL; the LGPL is another one."""
    return bool(re.search(r"\bA?GPL|GNU (Affero )?General Public", licence)) and (
        " OR " not in licence
    )


def test_all_is_every_extra_of_a_user() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (everything,) = map(Requirement, project["optional-dependencies"]["all"])
    assert everything.name == "hwgen"
    assert everything.extras == users_extras() - {"all"}


@pytest.mark.parametrize("extra", sorted(users_extras()))
def test_no_extra_of_a_user_brings_the_gpl(extra: str) -> None:
    found = needed_by(extra)
    assert {"numpy", "amaranth"} <= found.keys()
    assert [f"{name}: {licence}" for name, licence in found.items() if is_gpl(licence)] == []


def test_requirements_of_requirements_are_followed() -> None:
    """The extra of the developers has a package under the GPL, three packages away."""
    pytest.importorskip("cocotbext.axi")
    assert is_gpl(needed_by("dev")["scapy"])


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("GPL-2.0-only", True),
        ("AGPL-3.0-or-later", True),
        ("GNU General Public License v3 (GPLv3)", True),
        ("LGPL-3.0-only", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("MIT OR GPL-2.0-only", False),
    ],
)
def test_licences_that_are_the_gpl(licence: str, expected: bool) -> None:
    assert is_gpl(licence) is expected


def test_every_dependency_has_a_row() -> None:
    table = rows()
    missing = sorted(declared().keys() - table.keys())
    assert missing == [], "add a row to docs/licences.md"
    wrong = {name for name, extras in declared().items() if table[name].extra not in extras}
    assert wrong == set(), "its extra is another one"


def test_every_row_is_a_dependency() -> None:
    extras = {extra for group in declared().values() for extra in group}
    stale = [name for name, row in rows().items() if row.extra in extras and name not in declared()]
    assert stale == [], "remove its row from docs/licences.md"


@pytest.mark.parametrize("name", sorted(declared()))
def test_the_licence_is_that_of_the_installed_package(name: str) -> None:
    try:
        package = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    usual = pinned().get(name)
    if usual and package["Version"].partition("+")[0] != usual:
        pytest.skip(f"the row is that of {name} {usual}, which .ci/constraints.txt chooses")
    assert stated_licence(package) == rows()[name].licence, f"{name} {package['Version']}"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"License-Expression": "MIT", "License": "other"}, "MIT"),
        ({"License": "MIT License"}, "MIT License"),
        ({"License": "Copyright (c)\n\n  of us", "Classifier": f"{OSI}BSD License"}, "BSD License"),
        ({"License": "", "Classifier": f"{OSI}BSD License"}, "BSD License"),
        ({"Classifier": "Topic :: Scientific/Engineering"}, "not stated"),
    ],
)  # fmt: skip
def test_where_metadata_state_a_licence(fields: dict[str, str], expected: str) -> None:
    package = Message()
    for name, value in fields.items():
        package[name] = value
    assert stated_licence(package) == expected
