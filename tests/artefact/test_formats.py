"""Artefacts of both versions of the format, as the version before this tree wrote them.

``folders/`` holds one network of each version, written by commit fcafe30, and their logits by it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from hwgen import artefact, golden
from hwgen.artefact.network_folder import document_hash
from hwgen.errors import ArtefactError
from hwgen.network import InverseLeak

FOLDERS = Path(__file__).parent / "folders"
LOGITS = {
    "format_1": [[5, 5, 1]] * 5,
    "format_2": [[-7, 1, 5], *([[0, 1, -1]] * 4)],
}
HASHES = {
    "format_1": "511a0ee6ad8e8a67fb330f114355ba6183cb4b63add1106e704e6fd5707d89db",
    "format_2": "4366f9fa9fa30293d0ed3db2b77957c19258f0dcdd7c88be3c0a1b8c68df3dc4",
}


@pytest.mark.parametrize("name", HASHES)
def test_they_load_run_and_are_written_again_byte_for_byte(name: str, tmp_path: Path) -> None:
    network = artefact.load(FOLDERS / name)
    assert artefact.content_hash(network) == HASHES[name]
    bits = network.input.pixel_bits
    images = np.random.default_rng(0).integers(0, 1 << bits, (5, *network.input.shape))
    assert golden.run(network, images.astype(np.uint8)).logits.tolist() == LOGITS[name]
    artefact.save(network, tmp_path / name)
    for file in (artefact.NETWORK_FILE, artefact.ARRAYS_FILE):
        assert (tmp_path / name / file).read_bytes() == (FOLDERS / name / file).read_bytes()


def test_every_kind_of_node_comes_back() -> None:
    network = artefact.load(FOLDERS / "format_1")
    kinds = [type(layer.neuron).__name__ for layer in network.layers]
    assert kinds == [
        "InverseLeakyNeuron", "TimeToFirstSpikeNeuron", "SoftResetNeuron", "SoftResetNeuron",
        "HardResetNeuron", "SoftmaxReadout",
    ]  # fmt: skip
    first = network.layers[0]
    assert first.neuron.threshold.tolist() == [3, 70000]
    assert first.projections[0].pad_value.dtype == np.int32
    assert first.projections[0].padding == (1, 0, 0, 1)
    assert network["hard"].neuron.reset.tolist() == [-1, 0]
    assert network["hard"].neuron.initial is None
    assert network.provenance == {"method": "by hand", "figures": [1, 2.5, None, True]}
    leaky = artefact.load(FOLDERS / "format_2").layers
    assert [layer.neuron.leak for layer in leaky[:2]] == [InverseLeak(n=5, m=3)] * 2
    assert leaky[2].neuron.frac_bits == 2


ABSENT = {  # fields that older files lack, and their meaning
    "input.gain": ("format_1", ("input", "gain"), 16),
    "input.seed": ("format_1", ("input", "seed"), 0x6A09E667),
    "floor": ("format_1", ("nodes", 3, "neuron", "floor"), None),
}


@pytest.mark.parametrize("name", ABSENT)
def test_fields_that_may_be_absent(name: str, tmp_path: Path) -> None:
    folder, place, default = ABSENT[name]
    network = artefact.load(_edited(FOLDERS / folder, tmp_path, place, remove=True))
    owner = network.input if place[0] == "input" else network.nodes[place[1]].neuron
    assert getattr(owner, place[-1]) == default


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("nodes", 0, "neuron", "timesteps"), True, r"neuron\.inverse_leaky\.timesteps: .*integer"),
        (("nodes", 3, "neuron", "two_phase"), 1, r"neuron\.soft_reset\.two_phase: .*boolean"),
        (("nodes", 0, "neuron", "leak"), [1], r"inverse_leaky\.leak: .*at least 2 items"),
        (("nodes", 0, "neuron", "leak"), [1, 0, 0], r"inverse_leaky\.leak: .*at most 2 items"),
        (("nodes", 0, "neuron", "level"), 1, r"inverse_leaky\.level: Extra inputs"),
        (("nodes", 0, "bias"), 1.0, r"nodes\.0\.layer\.bias: .*integer"),
        (("nodes", 0, "projections", 0, "stride"), (1, "1"), r"conv2d\.stride\.1: .*integer"),
        (("nodes", 0, "projections", 0, "kind"), "conv3d", r"projections\.0: .*'conv3d'"),
        (("nodes", 1, "padding"), None, r"max_pool2d\.padding: Field required"),
        (("nodes", 0, "projections", 0, "pad_value"), None, r"pad_value: Field required"),
        (("input", "code"), 3, r"input\.code: .*string"),
        (("input", "code"), "morse", r"input: code must be one of radix, .*not 'morse'"),
        (("probe",), "0", r"probe: .*integer"),
    ],
)
def test_documents_are_checked_strictly(
    place: tuple[str | int, ...], value: object, message: str, tmp_path: Path
) -> None:
    """``value`` None removes the field. The hash is that of the edited document."""
    folder = _edited(FOLDERS / "format_1", tmp_path, place, value=value, remove=value is None)
    with pytest.raises(ArtefactError, match=message):
        artefact.load(folder)


def _edited(
    folder: Path,
    tmp_path: Path,
    place: tuple[str | int, ...],
    *,
    value: object = None,
    remove: bool = False,
) -> Path:
    """A copy whose document differs at one place and is signed again."""
    document = yaml.safe_load((folder / artefact.NETWORK_FILE).read_text())
    part = document
    for key in place[:-1]:
        part = part[key]
    if remove:
        del part[place[-1]]
    else:
        part[place[-1]] = list(value) if isinstance(value, tuple) else value
    document["sha256"] = document_hash(document)
    (tmp_path / artefact.NETWORK_FILE).write_text(yaml.safe_dump(document, sort_keys=False))
    arrays = (folder / artefact.ARRAYS_FILE).read_bytes()
    (tmp_path / artefact.ARRAYS_FILE).write_bytes(arrays)
    return tmp_path
