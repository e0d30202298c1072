"""Build folders that somebody made to run code, or to read or write outside of them."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwgen.artefact.build_folder import read_manifest
from hwgen.artefact.manifest_head import is_build_folder
from hwgen.artefact.plain_files import sha256
from hwgen.errors import ArtefactError
from hwgen.report import gather
from hwgen.synthesis import build
from tests.support.cores.tiny_core import write_tiny_core

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_core(tmp_path / "build", board="icebreaker")


def edit(folder: Path, change: Edit) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def renamed_file(name: str) -> Edit:
    return lambda m: m["files"].update({name: "0" * 64})


# --- names that reach a script, a template or a path ---------------------------------------------

NAMES: dict[str, Edit] = {
    "a command of yosys in the top": lambda m: m.update(top="a; write_json /tmp/x"),
    "a line of yosys in the top": lambda m: m.update(top="tiny_top\nwrite_json x"),
    "a line after the top": lambda m: m.update(top="tiny_top\n"),
    "an option as the top": lambda m: m.update(top="-p"),
    "Verilog in the name": lambda m: m.update(name='a (); initial $system("x")'),
    "a template in the name": lambda m: m.update(name="{{ 7 * 7 }}"),
    "HTML in the name": lambda m: m.update(name="<script>alert(1)</script>"),
    "a name of 5,000 characters": lambda m: m.update(name="a" * 5000),
    "a source above the folder": lambda m: m.update(sources=["../x.v"]),
    "an absolute source": lambda m: m.update(sources=["/etc/passwd"]),
    "an option as a source": lambda m: m.update(sources=["-pwrite_json.v"]),
    "a second word in a source": lambda m: m.update(sources=["a.v b.v"]),
    "a redirection in a source": lambda m: m.update(sources=["a.v;exec.v"]),
    "a source that is not hashed": lambda m: m.update(sources=["other.v"]),
    "a board file of the folder": lambda m: m.update(board="evil.yaml"),
    "a board file elsewhere": lambda m: m.update(board="../evil"),
    "an option as the board": lambda m: m.update(board="--pre-pack"),
    "a file above the folder": renamed_file("../x"),
    "a file above, in the middle": renamed_file("network/../../x"),
    "an absolute file": renamed_file("/etc/passwd"),
    "a hidden file": renamed_file(".bashrc"),
    "an empty part": renamed_file("network//x"),
    "a backslash": renamed_file("a\\b"),
    "a NUL": renamed_file("a\0b"),
    "a hash that is no hash": lambda m: m["files"].update({"table.hex": "../x"}),
    "a port with a range": lambda m: m["ports"][0].update(name="a, input b"),
    "a port of a billion bits": lambda m: m["ports"][0].update(width=10**9),
    "a stream of a billion bits": lambda m: m.update(streams=[STREAM | {"width": 10**9}]),
    "a map of a billion rows": lambda m: m.update(streams=[STREAM | {"shape": [1, 10**9, 1]}]),
    "a tap out of turn": lambda m: m.update(streams=[STREAM | {"tap": 7}]),
    "an address out of turn": lambda m: m.update(
        counters=[{"address": 10**18, "node": "", "kind": "cycles"}]
    ),
    "an integer of 20,000 digits": lambda m: m.update(version=int("9" * 4000)),
    "a huge integer in the plan": lambda m: m["plan"].update(logit_width=1 << 70),
    "terminal escapes in a version": lambda m: m["tools"].update(hwgen="\x1b]0;x\x07"),
}  # fmt: skip
STREAM = {
    "tap": 0, "node": "a", "shape": [1, 4, 4], "timesteps": 1, "width": 1, "layout": "pixel",
    "schedule": "row",
}  # fmt: skip


@pytest.mark.parametrize("case", NAMES)
def test_names_and_numbers_of_a_manifest(folder: Path, case: str) -> None:
    edit(folder, NAMES[case])
    with pytest.raises(ArtefactError, match=r"manifest\.json is damaged: ") as caught:
        read_manifest(folder)
    message = str(caught.value)
    assert message.isprintable(), "a terminal obeys nothing of it"
    assert len(message) < 1000


def test_names_of_the_manifests_own_keys_are_shown_without_escapes(folder: Path) -> None:
    edit(folder, lambda m: m["files"].update({"\x1b[2J": "0" * 64}))
    with pytest.raises(ArtefactError, match=r"files\.\\x1b\[2J") as caught:
        read_manifest(folder)
    assert str(caught.value).isprintable()


def test_an_older_manifest_shows_no_escapes_either(folder: Path) -> None:
    edit(folder, lambda m: m.update(version=2, tools={"hwgen": "\x1b[2J"}))
    with pytest.raises(ArtefactError) as caught:
        read_manifest(folder)
    assert str(caught.value).isprintable()


# --- links and special files ---------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the user beside the build folder."""
    path = tmp_path / "outside"
    path.write_text("precious")
    return path


PLACES = (
    "manifest.json", "tiny_top.v", "table.hex", "simulation.json", "report.json", "report.html",
    "evaluation.json", "synth", "synth/report.json", "synth-failed", "sim", "sim/verilator",
    "sim/verilator/run.log", "sim/verilator.lock", "network", "anything",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_no_link_is_followed(folder: Path, outside: Path, place: str) -> None:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if place in ("manifest.json", "tiny_top.v", "table.hex"):
        outside.write_bytes(path.read_bytes())
    path.unlink(missing_ok=True)
    path.symlink_to(outside)
    before = outside.read_bytes()
    for use in (read_manifest, gather, build):
        with pytest.raises(ArtefactError, match=f"{re.escape(str(path))} is a symbolic link"):
            use(folder)
    assert outside.read_bytes() == before
    assert path.is_symlink(), "what is there is the user's to remove"


def test_a_link_to_a_folder_is_not_entered(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(folder, target_is_directory=True)
    assert read_manifest(tmp_path / "loop").name == "tiny", "the user named it"
    (folder / "sub").symlink_to(folder, target_is_directory=True)
    with pytest.raises(ArtefactError, match="is a symbolic link"):
        read_manifest(folder)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("only root makes devices")


def unix_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path has a hundred characters at most
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize("place", ["manifest.json", "table.hex", "simulation.json", "anything"])
@pytest.mark.parametrize(
    ("make", "kind"), [(pipe, "a pipe"), (device, "a device"), (unix_socket, "a socket")]
)
def test_nothing_waits_for_a_special_file(
    folder: Path, place: str, make: Callable[[Path], None], kind: str
) -> None:
    (folder / place).unlink(missing_ok=True)
    make(folder / place)
    with pytest.raises(ArtefactError, match=f"{place} is {kind}"):
        read_manifest(folder)
    assert is_build_folder(folder) == (place != "manifest.json")


def test_a_hard_link_is_replaced_and_not_written_through(folder: Path, outside: Path) -> None:
    from tests.support.reports import simulation_report

    os.link(outside, folder / "simulation.json")
    simulation_report().write(folder)
    assert outside.read_text() == "precious"


def test_a_file_behind_a_link_is_no_report(folder: Path, outside: Path) -> None:
    from tests.support.reports import simulation_report

    (folder / "simulation.json").symlink_to(outside)
    with pytest.raises(ArtefactError, match="is a symbolic link"):
        simulation_report().write(folder)
    assert outside.read_text() == "precious"


def test_folders_without_end(folder: Path) -> None:
    (folder / "/".join("d" * 40)).mkdir(parents=True)
    with pytest.raises(ArtefactError, match="has folders more than 16 deep"):
        read_manifest(folder)


def test_a_sparse_file_of_a_terabyte_is_not_read(folder: Path) -> None:
    os.truncate(folder / "table.hex", 1 << 40)
    with pytest.raises(
        ArtefactError, match=r"table\.hex: has 1,099,511,627,776 bytes, but at most"
    ):
        read_manifest(folder)
    os.truncate(folder / "manifest.json", 1 << 40)
    with pytest.raises(ArtefactError, match=r"manifest\.json: has 1,099,511,627,776 bytes"):
        read_manifest(folder)


# --- JSON ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("[" * 60 + "]" * 60, "nested too deeply"),
        ('{"version": ' + "9" * 20_000 + "}", "Invalid JSON: Exceeds the limit"),
        ('{"version": ' + "9" * 30 + "}", "an integer of more than 64 bits"),
        ('{"version": NaN}', "NaN is not JSON"),
        ('{"version": 1e999}', "a number that is infinite"),
        ('{"format": "hwgen-build", "format": "x"}', "a key stands twice"),
        ("[" + "0," * 1_000_001 + "0]", "more than 1,000,000 values"),
        ("\xff", "Invalid JSON"),
        ("", "Invalid JSON"),
        ('{"format": "\\ud800"}', "Invalid JSON"),
    ],
)
def test_json_that_costs_or_says_too_much(folder: Path, text: str, message: str) -> None:
    (folder / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ArtefactError, match=rf"manifest\.json is damaged: .*{message}"):
        read_manifest(folder)
    assert not is_build_folder(folder)


# --- Verilog -------------------------------------------------------------------------------------


def test_verilog_that_a_tool_would_run_is_refused(folder: Path) -> None:
    """Its hash is right: whoever wrote it has written the manifest too."""
    source = folder / "tiny_top.v"
    source.write_text(source.read_text() + 'module x; initial $system("id"); endmodule\n')
    edit(folder, lambda m: m["files"].update({"tiny_top.v": sha256(source)}))
    lines = source.read_text().count("\n")
    for use in (read_manifest, gather, build):
        with pytest.raises(
            ArtefactError, match=rf"tiny_top\.v: holds '\$system.*' in line {lines}, .*generate it"
        ):
            use(folder)


def test_a_memory_file_that_the_manifest_does_not_name_is_not_read(folder: Path) -> None:
    edit(folder, lambda m: m["files"].pop("table.hex"))
    with pytest.raises(ArtefactError, match=r"holds the file 'table\.hex', which is not of its fo"):
        read_manifest(folder)
