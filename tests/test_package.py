"""The names that ``import hwgen`` offers, and what they cost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


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
        "hwgen.artefact.network_folder Network"
    )
    assert python("import hwgen; print(hwgen.golden.run.__name__, 'load' in dir(hwgen))") == (
        "run True"
    )
    code = "import hwgen\ntry:\n    hwgen.lode\nexcept AttributeError as e:\n    print(e)"
    assert python(code) == "module 'hwgen' has no attribute 'lode'"


def test_convert_is_a_plain_function():
    code = "import inspect, hwgen; print(inspect.isfunction(hwgen.convert))"
    assert python(code) == "True"
