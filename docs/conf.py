"""Sphinx configuration of the site: `make docs` builds it into out/docs, without the network."""

from __future__ import annotations

import inspect
import os
import re
import sys
from dataclasses import MISSING, is_dataclass
from dataclasses import fields as dataclass_fields
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sphinx.application import Sphinx

import hwgen

project = "hwgen"
author = "the hwgen developers"
project_copyright = author
version = release = getattr(hwgen, "__version__", metadata.version("hwgen"))

extensions = [
    "myst_parser",  # the Markdown pages
    "sphinx.ext.autodoc",
    "numpydoc",  # the sections of the docstrings
    "sphinx.ext.viewcode",
    "sphinx_click",  # the command line, from click
    "sphinx_copybutton",
    "sphinx_design",  # the cards of the home page
]
exclude_patterns = ["_build"]

nitpicky = True
nitpick_ignore_regex = [
    # Names of other projects: their inventories are not fetched, so the build needs no network.
    (r"py:.*", r"(abc|annotated_types|collections|enum|nn|np|numpy|os|pathlib|pydantic|torch)\..*"),
    (r"py:.*", r"Path|NDArray|np\.ndarray"),
    # The inside of the package has no pages. tests/docs/test_docstring_names.py looks these up.
    (r"py:.*", r"hwgen\.(\w+\.)+\w+|hwgen\.rtl"),
    # Aliases of types.
    (r"py:class", r"Figures|Orders|PerLayer\w*|PlanField|Progress|Tuner|\w*Int(egers?)?"),
    (r"py:class", r"Pair|Quad|Shape|Stage"),
]

myst_heading_anchors = 4  # links to headings, as a Git host names them
myst_enable_extensions = ["colon_fence"]

smartquotes = False  # "--option" keeps its hyphens

autodoc_default_options = {"members": True, "exclude-members": "model_config"}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
numpydoc_show_class_members = False  # autodoc lists them

html_theme = "furo"
html_title = f"hwgen {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
copybutton_exclude = ".linenos, .gp, .go"

# Types of default values that a signature shows.
PLAIN = (bool, int, float, str, type(None))

DOCS = Path(__file__).parent
ROOT = DOCS.parent
# Pages of the site that show files outside this folder.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "tests/README.md": "testing.md",
}


def show_outside_file(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace a page by the file that it shows, and point links to such files to their pages."""
    here = (DOCS / docname).parent
    folder = here
    for name, page in PAGES.items():
        if page == f"{docname}.md" != "index.md":
            source[0] = (ROOT / name).read_text("utf-8")
            folder = (ROOT / name).parent

    def link(match: re.Match[str]) -> str:
        path = Path(os.path.normpath(folder / match[1]))
        page = DOCS / PAGES.get(os.path.relpath(path, ROOT), "none")
        return f"]({os.path.relpath(page if page.exists() else path, here)}"

    source[0] = re.sub(r"\]\((?!\w+:|#)([^)#]+)", link, source[0])


def list_decisions(app: Sphinx, docname: str, source: list[str]) -> None:
    """Give the page of decisions a table of contents; on a Git host its list is enough."""
    if docname == "decisions/README":
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n0*\n```\n"


def full_name(names: dict[str, object], word: re.Match[str]) -> str:
    """Reference to a class of hwgen that a type names, displayed as its last part."""
    value = names.get(word[0])
    ours = inspect.isclass(value) and value.__module__.startswith("hwgen")
    return f"~{value.__module__}.{value.__qualname__}" if ours else word[0]


def signature_of_record(
    app: Sphinx, kind: str, name: str, value: Any, options: object, signature: str, returns: str
) -> tuple[str, str] | None:
    """Show the fields of a dataclass or pydantic model with the types that its source names.

    Evaluated types show the checks of pydantic, and default values that are no Python.
    """
    if kind != "class" or not (is_dataclass(value) or issubclass(value, BaseModel)):
        return None
    model = issubclass(value, BaseModel)
    fields = value.model_fields if model else {f.name: f for f in dataclass_fields(value) if f.init}
    types = {
        field: re.sub(r"\b[A-Z]\w*", partial(full_name, vars(sys.modules[base.__module__])), text)
        for base in value.__mro__[-2::-1]
        for field, text in inspect.get_annotations(base).items()
        if field in fields
    }
    shown = []
    for field, facts in fields.items():
        optional = not facts.is_required() if model else facts.default is not MISSING
        optional |= not model and facts.default_factory is not MISSING
        default = repr(facts.default) if type(facts.default) in PLAIN else "..."
        shown.append(f"{field}: {types[field]}" + f" = {default}" * optional)
    return f"(*, {', '.join(shown)})", ""


def skip_member(
    app: Sphinx, kind: str, name: str, value: object, skip: bool, options: object
) -> bool | None:
    """Leave out fields of named tuples, whose docstring is only their number."""
    return True if (value.__doc__ or "").startswith("Alias for field number") else None


def setup(app: Sphinx) -> None:
    app.connect("source-read", show_outside_file)
    app.connect("source-read", list_decisions)
    app.connect("autodoc-process-signature", signature_of_record)
    app.connect("autodoc-skip-member", skip_member)
