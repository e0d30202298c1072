"""Where an artefact is saved: what is replaced, what is left alone, what a failure leaves."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen import artefact
from hwgen.artefact import load, save
from hwgen.errors import ArtefactError, NetworkError
from tests.support.random_networks import random_network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(random_network(6), tmp_path / "net")
    return tmp_path / "net"


def test_an_artefact_is_replaced_and_nothing_is_left_beside_it(folder):
    other = random_network(7)
    save(other, folder)
    assert artefact.content_hash(load(folder)) == artefact.content_hash(other)
    assert os.listdir(folder.parent) == ["net"]
    (folder / artefact.ARRAYS_FILE).write_bytes(b"damaged")
    save(other, folder)
    load(folder)


def test_an_evaluation_of_the_old_network_goes_with_it(folder):
    (folder / "evaluation.json").write_text("{}")
    save(random_network(7), folder)
    assert sorted(os.listdir(folder)) == ["network.yaml", "weights.npz"]


def test_parents_and_empty_folders_are_taken(tmp_path):
    save(random_network(1), tmp_path / "a" / "b" / "net")
    (tmp_path / "empty").mkdir()
    save(random_network(1), tmp_path / "empty")
    assert sorted(os.listdir(tmp_path / "empty")) == ["network.yaml", "weights.npz"]


@pytest.mark.parametrize("kind", ["folder", "beside", "yaml", "file"])
def test_foreign_targets_are_left_alone(tmp_path, kind):
    target = tmp_path / "net"
    kept = target / "notes.txt"
    if kind == "file":
        kept = target
    elif kind == "yaml":
        kept = target / "network.yaml"
    if kind == "beside":
        save(random_network(1), target)
    elif kind != "file":
        target.mkdir()
    kept.write_text("mine")
    with pytest.raises(ArtefactError, match=f"{target}: (is a file|holds something other)"):
        save(random_network(2), target)
    assert kept.read_text() == "mine"
    assert os.listdir(tmp_path) == ["net"]


def test_an_illegal_network_leaves_nothing(tmp_path):
    network = random_network(1)
    with pytest.raises(NetworkError, match="nothing reads|last node|at least one layer"):
        save(replace(network, nodes=()), tmp_path / "net")
    assert os.listdir(tmp_path) == []


def test_a_failure_while_writing_leaves_the_old_artefact(folder, monkeypatch):
    before = (folder / artefact.NETWORK_FILE).read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hwgen.artefact.network_folder.write_arrays", fail)
    with pytest.raises(ArtefactError, match="cannot be written: .*No space left"):
        save(random_network(9), folder)
    assert (folder / artefact.NETWORK_FILE).read_bytes() == before
    assert os.listdir(folder.parent) == ["net"]
    load(folder)
