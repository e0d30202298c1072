"""Artefacts: what is saved comes back, and nothing that is damaged or foreign is read."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import hwgen
from hwgen import artefact
from hwgen.artefact import content_hash, load, save
from hwgen.errors import ArtefactError, NetworkError
from hwgen.network import DOUBLE, Network
from tests.support.random_networks import random_images, random_network

CASES = range(28)


def network_of(seed: int) -> Network:
    decoder = "softmax" if seed >= 24 else "membrane"
    return random_network(seed, residual=seed % 2 == 0, decoder=decoder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(network_of(6), tmp_path / "net")
    return tmp_path / "net"


def same(first: object, second: object) -> bool:
    if is_dataclass(first):
        return type(first) is type(second) and all(
            same(getattr(first, item.name), getattr(second, item.name)) for item in fields(first)
        )
    if isinstance(first, np.ndarray):
        return isinstance(second, np.ndarray) and np.array_equal(first, second)
    if isinstance(first, tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


# --- there and back ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", CASES)
def test_what_is_saved_comes_back(tmp_path, seed):
    network = network_of(seed)
    save(network, tmp_path / "net")
    loaded = load(tmp_path / "net")
    assert same(loaded, network)
    assert content_hash(loaded) == content_hash(network)
    images = random_images(seed, network, 3)
    first, second = (hwgen.golden.run(item, images).logits for item in (network, loaded))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("code", ["direct", "events"])
def test_inputs_and_probes_come_back(tmp_path, code):
    network = random_network(4, neuron="rate_single", code=code)
    assert network.probe.ndim == (5 if code == "events" else 4)
    save(network, tmp_path / "net")
    assert same(load(tmp_path / "net"), network)


def test_arrays_come_back_in_the_types_of_the_network(folder):
    network = load(folder)
    for layer in network.layers:
        assert layer.bias.dtype == np.int64
        assert all(item.weights.dtype == np.int32 for item in layer.projections)
        if layer is not network.readout:
            assert layer.neuron.threshold.dtype == np.int64


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("beyond", [0, 1])
@pytest.mark.parametrize("negative", [False, True])
def test_arrays_at_the_ends_of_a_size_come_back(bits, beyond, negative, tmp_path):
    """−2^(bits−1) and 2^(bits−1) − 1 are the last numbers of a size; one further takes the next."""
    top = (1 << bits - 1) - 1
    network = network_of(3)
    bias = np.full_like(network.readout.bias, -top - 1 - beyond if negative else top + beyond)
    layer = replace(network.readout, bias=bias)
    save(replace(network, nodes=(*network.nodes[:-1], layer)), tmp_path / "net")
    assert load(tmp_path / "net").readout.bias.tolist() == bias.tolist()


def test_files_are_the_same_byte_for_byte_whenever_they_are_written(tmp_path, monkeypatch):
    save(network_of(3), tmp_path / "first")
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    save(network_of(3), tmp_path / "second")
    for name in (artefact.NETWORK_FILE, artefact.ARRAYS_FILE):
        first, second = ((tmp_path / side / name).read_bytes() for side in ("first", "second"))
        assert first == second


def test_content_hash_tells_networks_apart_and_ignores_types_in_memory():
    network = network_of(3)
    hashes = {content_hash(network)}
    layer = network.readout
    wide = replace(layer, bias=layer.bias.astype(np.int32))
    assert content_hash(replace(network, nodes=(*network.nodes[:-1], wide))) in hashes
    other = replace(layer, bias=layer.bias + np.eye(1, layer.bias.size, dtype=np.int64)[0])
    for changed in (
        replace(network, nodes=(*network.nodes[:-1], other)),
        replace(network, name="other"),
        replace(network, provenance={"seed": 4}),
        replace(network, probe=None),
        replace(network, input=replace(network.input, name="in")),
    ):
        assert content_hash(changed) not in hashes
        hashes.add(content_hash(changed))


@pytest.mark.parametrize(
    "name",
    [
        "a.b",
        "a/b",
        "../up",
        "module",
        "x y",
        "null",
        "1e3",
        "é\u2028\x00",
        "yes: #",
        "-",
        "a\nb: [*x",
        "\U0001f600",
        "\ufeff\uffff\x85",
        "n" * 5_000,
        "\x1b[31m" * 1_000,
    ],
)
def test_any_name_works(tmp_path, name):
    network = network_of(3)
    source = network.nodes[0].sources[0]
    renamed = replace(network, name=name, input=replace(network.input, name=name))
    nodes = tuple(_with_source(node, source, name) for node in network.nodes)
    renamed = replace(renamed, nodes=nodes)
    save(renamed, tmp_path / "net")
    assert same(load(tmp_path / "net"), renamed)
    assert sorted(os.listdir(tmp_path)) == ["net"]


def _with_source(node, old, new):
    if hasattr(node, "source"):
        return replace(node, source=new) if node.source == old else node
    projections = tuple(
        replace(item, source=new) if item.source == old else item for item in node.projections
    )
    return replace(node, projections=projections)


def test_provenance_keeps_plain_values(tmp_path):
    provenance = {
        "none": None, "yes": True, "int": 1 << 70, "float": 1e-7, "huge": 1e22, "minus": -0.0,
        "text": "λ: 'x'\n\t\"", "list": [1, [2.5, {"deep": "1.0"}]], "": "", "on": "off",
    }  # fmt: skip
    network = replace(network_of(3), provenance=provenance)
    save(network, tmp_path / "net")
    assert load(tmp_path / "net").provenance == provenance
    save(replace(network, provenance={"pair": (1, 2)}), tmp_path / "net")
    assert load(tmp_path / "net").provenance == {"pair": [1, 2]}


def nested(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("name", ["\ud83d", "net\udfff"])
def test_a_name_that_no_file_can_hold_is_refused_by_the_network(name):
    with pytest.raises(NetworkError, match="holds half of a surrogate pair, .*; rename it"):
        replace(network_of(3), name=name).verify()
    network = network_of(3)
    nodes = (*network.nodes[:-1], replace(network.nodes[-1], name=name))
    with pytest.raises(NetworkError, match="holds half of a surrogate pair, .*; rename it"):
        replace(network, nodes=nodes).verify()


def test_the_deepest_provenance_comes_back(tmp_path):
    network = replace(network_of(3), provenance={"a": nested(37), "b": 10**99 - 1})
    save(network, tmp_path / "net")
    assert load(tmp_path / "net").provenance == network.provenance


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"loss": np.float64(1)}, r"provenance\.loss: numpy\.float64 is not a plain value"),
        ({"a": [1, np.int64(2)]}, r"provenance\.a\[1\]: numpy\.int64"),
        ({"a": {"b": float("nan")}}, r"provenance\.a\.b: must be a finite number, not nan"),
        ({1: 2}, r"provenance: key 1 must be a string"),
        ({"a": "x\ud800"}, r"provenance\.a: 'x\\ud800' holds half of a surrogate pair"),
        ({"\udfff": 1}, r"provenance: '\\udfff' holds half"),
        ({"a": 10**99}, r"provenance\.a: must have fewer than 100 digits"),
        ({"a": nested(38)}, r"provenance\.a\[0\].* is nested deeper than 40 levels"),
        ({"a": list(range(250_000))}, r"would have 250,\d+ values and .*out of the provenance"),
        ({"a": "x" * (16 << 20)}, r"and 16,77.* characters, but at most"),
        ({"a": object()}, r"builtins\.object is not a plain value"),
        ({"a": Path("x")}, "Path is not a plain value"),
    ],
)
def test_provenance_of_other_values_is_refused(tmp_path, value, message):
    with pytest.raises(ArtefactError, match=message):
        save(replace(network_of(3), provenance=value), tmp_path / "net")
    assert os.listdir(tmp_path) == []


# --- an independent reader, written from docs/artefact.md -----------------------------------------


def read_from_the_documentation(folder):
    document = yaml.safe_load((folder / "network.yaml").read_text("ascii"))
    assert document["format"] == "hwgen-network"
    leaks = ["leak" in node.get("neuron", {}) for node in document["nodes"]]
    assert document["version"] == (2 if any(leaks) else 1)
    body = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    assert hashlib.sha256(text.encode("ascii")).hexdigest() == document["sha256"]
    arrays = []
    with np.load(folder / "weights.npz", allow_pickle=False) as archive:
        assert len(archive.files) == len(document["arrays"])
        for index, entry in enumerate(document["arrays"]):
            array = archive[str(index)]
            assert array.dtype == np.dtype(entry["dtype"])
            assert list(array.shape) == entry["shape"]
            assert hashlib.sha256(array.tobytes()).hexdigest() == entry["sha256"]
            arrays.append(array)
    nodes = []
    for node in document["nodes"]:
        if node["kind"] == "layer":
            for projection in node["projections"]:
                projection["weights"] = arrays[projection["weights"]]
            node["bias"] = arrays[node["bias"]]
            for key in ("threshold", "initial"):
                if node["neuron"].get(key) is not None:
                    node["neuron"][key] = arrays[node["neuron"][key]]
        nodes.append(node)
    return document, nodes


@pytest.mark.parametrize("seed", [0, 1, 2, 6, 8])
def test_the_documentation_is_enough_to_write_a_reader(tmp_path, seed):
    network = network_of(seed)
    save(network, tmp_path / "net")
    document, nodes = read_from_the_documentation(tmp_path / "net")
    assert document["sha256"] == content_hash(network)
    assert document["input"]["shape"] == list(network.input.shape)
    assert [node["name"] for node in nodes] == [node.name for node in network.nodes]
    layers = [node for node in nodes if node["kind"] == "layer"]
    for read, layer in zip(layers, network.layers, strict=True):
        np.testing.assert_array_equal(read["bias"], layer.bias)
        for one, other in zip(read["projections"], layer.projections, strict=True):
            assert one["kind"] == type(other).__name__.lower()
            np.testing.assert_array_equal(one["weights"], other.weights)
        if layer is not network.readout:
            np.testing.assert_array_equal(read["neuron"]["threshold"], layer.neuron.threshold)
            assert read["neuron"]["timesteps"] == layer.neuron.timesteps
            leak = layer.neuron.leak if layer.neuron.code == "radix" else DOUBLE
            assert read["neuron"].get("leak", [1, 0]) == [leak.n, leak.m]
        else:
            assert read["neuron"].get("frac_bits", 0) == layer.neuron.frac_bits


def test_leaks_come_back_and_others_keep_the_first_version(tmp_path):
    """What no leak below 2 is in has the bytes that it always had."""
    network = random_network(1, neuron="fractional")
    leaks = [layer.neuron.leak for layer in network.layers[:-1]]
    assert any(not leak.doubles for leak in leaks)
    save(network, tmp_path / "net")
    assert "version: 2\n" in (tmp_path / "net" / "network.yaml").read_text("ascii")
    loaded = load(tmp_path / "net")
    assert [layer.neuron.leak for layer in loaded.layers[:-1]] == leaks
    assert same(loaded, network)
    save(random_network(1, neuron="radix"), tmp_path / "net")
    text = (tmp_path / "net" / "network.yaml").read_text("ascii")
    assert "version: 1\n" in text
    assert "leak:" not in text
    assert "frac_bits: 0}" not in text.replace("threshold_frac_bits", "")
