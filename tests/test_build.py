"""``hwgen.Build``: a build folder as an object."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

import numpy as np
import pytest

from hwgen import report, synthesis
from hwgen.artefact import content_hash
from hwgen.build import Build
from hwgen.errors import ArtefactError, DataError, HwgenError, PlanError, ToolError
from hwgen.generation import generate
from hwgen.simulation import runner
from tests.support.command_line import small_network


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return generate(small_network()).write(tmp_path_factory.mktemp("api") / "build")


def test_a_build_is_its_folder(build: Build) -> None:
    opened = Build.open(str(build.folder))
    assert opened == build
    assert Path(opened) == build.folder
    assert os.fspath(opened) == str(build.folder)
    assert repr(opened) == f"Build('{build.folder}')"
    assert content_hash(opened.network) == content_hash(small_network())


def test_open_refuses_folders_that_hold_no_build(build: Build, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="make one with `hwgen generate`"):
        Build.open(tmp_path)
    with pytest.raises(ArtefactError, match="nowhere"):
        Build.open(tmp_path / "nowhere")
    copy = generate(small_network()).write(tmp_path / "copy")
    next(copy.folder.glob("*.v")).write_text("// edited")
    with pytest.raises(ArtefactError, match="was changed since it was generated"):
        Build.open(copy)


IMAGES = np.zeros((2, 1, 4, 4), np.uint8)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"simulator": "veriltor"}, ToolError, "did you mean 'verilator'"),
        ({"idle": "often"}, DataError, "available: none, random, adversarial"),
        ({"backpressure": "randm"}, DataError, "did you mean 'random'"),
        ({"samples": 0}, DataError, "samples must be an integer from 1 to 2, not 0"),
        ({"samples": "2"}, DataError, "samples must be an integer from 1 to 2, not '2'"),
        ({"seed": -1}, DataError, "seed must be an integer of at least 0, not -1"),
        ({"samples": 3}, DataError, "samples must be an integer from 1 to 2, not 3"),
        ({"labels": [1]}, DataError, "labels must be as many as the 2 images, not 1"),
    ],
)
def test_mistakes_of_a_simulation_are_named(
    build: Build, options: dict[str, object], error: type[HwgenError], message: str
) -> None:
    with pytest.raises(error, match=message):
        build.simulate(IMAGES, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[..., :3], r"must have shape \(N, 1, 4, 4\), not \(2, 1, 4, 3\); resize them"),
        (IMAGES[:0], r"are empty, shape \(0, 1, 4, 4\); give at least one"),
        (IMAGES - 0.5, "from -0.5 to -0.5 are not pixels 0 … 255"),
        ("data.npz", "not str; hwgen.datasets.load reads files"),
    ],
)
def test_images_that_do_not_fit_are_refused(build: Build, images: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        build.simulate(images)


def test_mistakes_of_place_and_route_are_named(build: Build) -> None:
    with pytest.raises(PlanError, match="did you mean 'ulx3s-85f'"):
        build.place_and_route(board="ulx3s-85")
    with pytest.raises(PlanError, match="choose one with"):
        build.place_and_route()
    with pytest.raises(PlanError, match="clock_mhz must be a number above 0, not '100'"):
        build.place_and_route(board="ulx3s-85f", clock_mhz="100")  # type: ignore[arg-type]
    with pytest.raises(PlanError, match="tries must be an integer of at least 1, not 0"):
        build.place_and_route(board="ulx3s-85f", tries=0)


def test_the_report_is_that_of_the_folder(build: Build) -> None:
    figures = build.report()
    assert figures == report.gather(build.folder)
    assert (build.folder / "report.html").is_file()


@pytest.mark.parametrize(
    ("method", "function"),
    [(Build.simulate, runner.simulate), (Build.place_and_route, synthesis.build)],
)
def test_methods_have_the_defaults_of_their_functions(method: object, function: object) -> None:
    own = dict(list(inspect.signature(method).parameters.items())[1:])  # type: ignore[arg-type]
    inner = dict(list(inspect.signature(function).parameters.items())[1:])  # type: ignore[arg-type]
    inner.pop("buses", None)  # for benchmarks and tests
    assert {name: p.default for name, p in own.items()} == {
        name: p.default for name, p in inner.items()
    }
