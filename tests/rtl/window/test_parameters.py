# amaranth: UnusedElaboratable=no
"""Window components reject bad parameters and expose the accepted ones."""

from __future__ import annotations

from typing import Any

import pytest

from hwgen.rtl.window.buffer import WindowBuffer
from hwgen.rtl.window.chunk_queue import ChunkQueue
from hwgen.rtl.window.reader import WindowReader
from hwgen.rtl.window.writer import WindowWriter
from tests.support.rtl.parameters import check_exposed, check_rejected
from tests.support.rtl.windows import path_of, window

COMPONENTS: list[tuple[Any, dict[str, Any]]] = [
    (ChunkQueue, {"path": path_of(window())}),
    (WindowBuffer, {"path": path_of(window())}),
    (WindowReader, {"path": path_of(window())}),
    (WindowWriter, {"plan": window()}),
]


@pytest.mark.parametrize(("component", "parameters"), COMPONENTS)
def test_parameters_are_exposed(component: Any, parameters: dict[str, Any]) -> None:
    check_exposed(component, parameters)


@pytest.mark.parametrize("component", [component for component, _ in COMPONENTS])
def test_other_plans_are_rejected(component: Any) -> None:
    parameters = dict(COMPONENTS)[component]
    (name,) = parameters
    check_rejected(component, parameters, name, window() if name == "path" else path_of(window()))
