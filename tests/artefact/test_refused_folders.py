"""Artefacts that are damaged, edited, foreign or newer."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from hwgen import artefact
from hwgen.artefact import load, save
from hwgen.artefact.network_folder import document_hash
from hwgen.errors import ArtefactError
from tests.support.random_networks import random_network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(random_network(6), tmp_path / "net")
    return tmp_path / "net"


def edit(folder: Path, change, *, sign: bool = False) -> None:
    path = folder / artefact.NETWORK_FILE
    document = yaml.safe_load(path.read_text())
    change(document)
    if sign:
        document["sha256"] = document_hash(document)
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def test_folders_that_are_no_artefact(tmp_path):
    with pytest.raises(ArtefactError, match="is not an hwgen artefact: no such folder"):
        load(tmp_path / "absent")
    with pytest.raises(ArtefactError, match=r"no network\.yaml in it"):
        load(tmp_path)
    (tmp_path / "network.yaml").write_text("format: another\n")
    with pytest.raises(ArtefactError, match=r"network\.yaml lacks format hwgen-network"):
        load(tmp_path)
    (tmp_path / "network.yaml").write_text("- 1\n")
    with pytest.raises(ArtefactError, match="is not an hwgen artefact"):
        load(tmp_path)
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(ArtefactError, match="is not an hwgen artefact"):
        load(file)


@pytest.mark.parametrize(("version", "message"), [
    (3, "newer hwgen .format 3, this one reads up to 2.; install a newer hwgen"),
    (0, "version must be a positive integer, not 0"),
    ("1", "version must be a positive integer, not '1'"),
    (True, "version must be a positive integer, not True"),
])  # fmt: skip
def test_other_versions(folder, version, message):
    edit(folder, lambda document: document.update(version=version), sign=True)
    with pytest.raises(ArtefactError, match=message):
        load(folder)


def test_truncated_yaml(folder):
    path = folder / artefact.NETWORK_FILE
    whole = path.read_bytes()
    refused = 0
    for size in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:size])
        with pytest.raises(ArtefactError):
            load(folder)
        refused += 1
    assert refused > 10
    path.write_bytes(b"format: hwgen-network\nnodes: [\n")
    with pytest.raises(ArtefactError, match=r"network\.yaml: truncated or damaged"):
        load(folder)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArtefactError, match="truncated or damaged"):
        load(folder)


def test_every_edit_of_a_number_is_noticed(folder):
    """Whatever integer is changed in the document, the hash or a model refuses it."""
    path = folder / artefact.NETWORK_FILE
    whole = path.read_text()
    lines = whole.splitlines(keepends=True)
    edited = 0
    for number, line in enumerate(lines):
        digits = [i for i, c in enumerate(line) if c.isdigit()]
        if not digits:
            continue
        changed = line[: digits[-1]] + str(9 - int(line[digits[-1]])) + line[digits[-1] + 1 :]
        path.write_text("".join([*lines[:number], changed, *lines[number + 1 :]]))
        with pytest.raises(ArtefactError, match=r"net"):
            load(folder)
        edited += 1
    assert edited > 20
    path.write_text(whole)
    load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(extra=1), "extra: Extra inputs are not permitted; the file was edited"),
        (lambda d: d.pop("nodes"), "nodes: Field required"),
        (lambda d: d["input"].update(timesteps="4"), r"input\.timesteps: .*valid integer"),
        (lambda d: d["input"].update(timesteps=4.0), r"input\.timesteps: .*valid integer"),
        (lambda d: d["nodes"][0].update(kind="recurrent"), r"nodes\.0: .*'recurrent'"),
        (lambda d: d["input"].update(shape=[1, 2]), r"input\.shape: "),
        (lambda d: d["nodes"][-1].update(bias=-1), r"nodes\.\d+\.layer\.bias: .*greater than"),
    ],
)
def test_edits_are_named_by_their_place(folder, change, message):
    edit(folder, change)
    with pytest.raises(ArtefactError, match=message):
        load(folder)


def test_an_edited_value_of_the_right_type(folder):
    edit(folder, lambda document: document.update(name="other"))
    with pytest.raises(ArtefactError, match="its content has hash .* edited or damaged"):
        load(folder)


def test_a_signed_document_still_has_to_be_a_legal_network(folder):
    edit(folder, lambda document: document["input"].update(timesteps=9999), sign=True)
    with pytest.raises(ArtefactError, match="not a valid network: input: timesteps must be"):
        load(folder)


def test_a_signed_document_with_an_index_past_the_arrays(folder):
    edit(folder, lambda document: document["nodes"][-1].update(bias=999), sign=True)
    with pytest.raises(ArtefactError, match="refers to array 999, which it does not list"):
        load(folder)


def test_yaml_that_would_run_code_is_not_run(folder, tmp_path):
    text = f"format: !!python/object/apply:os.mkdir ['{tmp_path / 'ran'}']\n"
    (folder / artefact.NETWORK_FILE).write_text(text)
    with pytest.raises(ArtefactError, match="truncated or damaged"):
        load(folder)
    assert not (tmp_path / "ran").exists()


# --- weights.npz ---------------------------------------------------------------------------------


def test_truncated_arrays(folder):
    path = folder / artefact.ARRAYS_FILE
    whole = path.read_bytes()
    for size in (0, 1, 30, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ArtefactError, match=r"weights\.npz: truncated or damaged"):
            load(folder)
    path.unlink()
    with pytest.raises(ArtefactError, match=r"weights\.npz: missing"):
        load(folder)


def test_a_flipped_bit_in_any_array_is_noticed(folder):
    path = folder / artefact.ARRAYS_FILE
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        ends = [
            info.header_offset + 30 + len(info.filename) + info.file_size
            for info in archive.infolist()
        ]
    assert len(ends) > 4
    for end in ends:
        for place in (end - 1, end - 100):  # an array's last byte, and its header
            whole[place] ^= 1
            path.write_bytes(whole)
            with pytest.raises(ArtefactError, match=r"weights\.npz: truncated or damaged"):
                load(folder)
            whole[place] ^= 1


def repack(folder: Path, change) -> None:
    path = folder / artefact.ARRAYS_FILE
    with np.load(path) as archive:
        arrays = dict(archive)
    change(arrays)
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.update({"0": a["0"] + 1}), "array 0: its bytes do not have the hash"),
        (lambda a: a.update({"0": a["0"].astype(np.int64)}), "array 0: .* lists"),
        (lambda a: a.update({"0": a["0"].ravel()}), "array 0: is .* but network.yaml lists"),
        (
            lambda a: a.update({"0": np.zeros(99999, np.int8)}),
            "array 0: is int8 .99999",
        ),
        (lambda a: a.update({"0": np.array([{}], dtype=object)}), "array 0: is object|damaged"),
        (lambda a: a.pop("1"), r"missing or extra: '1\.npy'"),
        (lambda a: a.update({"x": a["0"]}), r"missing or extra: 'x\.npy'"),
    ],
)
def test_arrays_of_another_artefact(folder, change, message):
    repack(folder, change)
    with pytest.raises(ArtefactError, match=message):
        load(folder)


def test_repacked_arrays_with_the_same_content_are_read(folder):
    """Another tool may pack the archive: the content counts, not the bytes of the container."""
    path = folder / artefact.ARRAYS_FILE
    expected = load(folder)
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez(path, **dict(reversed(arrays.items())))
    assert artefact.content_hash(load(folder)) == artefact.content_hash(expected)
    np.savez_compressed(path, **arrays)
    with pytest.raises(ArtefactError, match="must be stored, not compressed, unlike '0.npy'"):
        load(folder)


# --- files that are made to cost memory or time --------------------------------------------------


@pytest.mark.parametrize("name", [artefact.NETWORK_FILE, artefact.ARRAYS_FILE])
@pytest.mark.parametrize("kind", ["link", "device", "pipe", "sparse", "folder"])
def test_what_is_not_a_file_of_the_folder_is_refused(name, kind, folder, tmp_path):
    path = folder / name
    path.rename(tmp_path / "moved")
    if kind == "link":
        path.symlink_to(tmp_path / "moved")
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)
    reasons = {
        "link": "is a symbolic link", "device": "is a symbolic link", "pipe": "is a pipe",
        "folder": "is a folder", "sparse": "has 1,099,511,627,776 bytes",
    }  # fmt: skip
    with pytest.raises(ArtefactError, match=reasons[kind]):
        load(folder)


def test_an_array_counts_once(folder):
    """A thousand layers that share an array would have a copy each."""

    def share(document):
        layers = [node for node in document["nodes"] if node["kind"] == "layer"]
        layers[-1]["bias"] = layers[-1]["projections"][0]["weights"]

    edit(folder, share, sign=True)
    with pytest.raises(ArtefactError, match=r"network\.yaml: refers to array \d+ twice; convert"):
        load(folder)


def test_an_array_that_nothing_refers_to(folder):
    edit(folder, lambda document: document.update(probe=None), sign=True)
    with pytest.raises(ArtefactError, match=r"lists array \d+, but does not refer to it"):
        load(folder)


def test_a_message_about_foreign_names_is_one_line(folder):
    name = "a\nb\x1b[31m" + "x" * 100_000

    def rename(document):
        document["name"] = name
        document["input"]["timesteps"] = 9999

    edit(folder, rename, sign=True)
    with pytest.raises(ArtefactError, match=r"not a valid network: ") as refused:
        load(folder)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 1_000
