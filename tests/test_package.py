"""The names that ``import hwgen`` offers, and what they cost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def python(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True,
    )  # fmt: skip
    return result.stdout.strip()


def test_package_names_are_lazy():
    loaded = json.loads(python(
        "import sys, json, hwgen\n"
        "print(json.dumps([m for m in ('numpy', 'yaml', 'pydantic', 'torch') if m in sys.modules]))"
    ))  # fmt: skip
    assert loaded == []
    assert python("import hwgen; print(hwgen.load.__module__, hwgen.Network.__name__)") == (
        "hwgen.artefact.folder Network"
    )
    assert python("import hwgen; print(hwgen.golden.run.__name__, 'load' in dir(hwgen))") == (
        "run True"
    )
    code = "import hwgen\ntry:\n    hwgen.lode\nexcept AttributeError as e:\n    print(e)"
    assert python(code) == "module 'hwgen' has no attribute 'lode'"


@pytest.mark.parametrize("first", ["pass", "import hwgen.convert", "hwgen.convert"])
def test_convert_is_a_function_and_a_package(tmp_path, first):
    """A stand-in of hwgen.convert, so that nothing heavy is loaded."""
    code = (
        "import sys, types, hwgen, importlib.machinery, importlib.abc\n"
        "class Find(importlib.abc.MetaPathFinder, importlib.abc.Loader):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'hwgen.convert':\n"
        "            return importlib.machinery.ModuleSpec(name, self, is_package=True)\n"
        "    def exec_module(self, module):\n"
        "        module.convert = lambda x: x + 1\n"
        "        module.other = 5\n"
        "sys.meta_path.insert(0, Find())\n"
        f"{first}\n"
        "print(hwgen.convert(1), hwgen.convert.other)\n"
    )
    assert python(code) == "2 5"
