"""Models and weights from files; nothing but the model's own .py is ever run or unpickled."""

from __future__ import annotations

import contextlib
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hwgen import golden
from hwgen.conversion import load_model
from hwgen.errors import ConversionError
from tests.support.conversion import convert
from tests.support.float_models import pixels, tiny_cnn

SOURCE = """
import torch
from helper import CLASSES
from torch import nn

def tiny():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(24, CLASSES),
    )

made = tiny()
number = 3
def fails(): raise RuntimeError("no such data")
def gives_none(): return None
"""


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.write_text, (self.path, "unpickled"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(SOURCE)
    (tmp_path / "helper.py").write_text("CLASSES = 4\n")
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "typo.py").write_text("def f(:\n")
    model = tiny_cnn(7)
    state = model.state_dict()
    torch.save(state, tmp_path / "w.pt")
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}},
               tmp_path / "checkpoint.pth")  # fmt: skip
    save_file(state, tmp_path / "w.safetensors")
    np.savez(tmp_path / "w.npz", **{name: value.numpy() for name, value in state.items()})
    program = torch.export.export(model, (torch.zeros(2, 2, 8, 8),))
    torch.export.save(program, tmp_path / "m.pt2")
    return tmp_path


@pytest.mark.parametrize("weights", ["w.pt", "checkpoint.pth", "w.safetensors", "w.npz", None])
def test_every_way_gives_the_same_integers(folder, weights):
    if weights is None:
        model = load_model(str(folder / "m.pt2"))
    else:
        model = load_model(f"{folder / 'model.py'}:tiny", folder / weights)
        assert not model.training
    images = pixels((2, 8, 8), samples=20)
    found, expected = convert(model, images), convert(tiny_cnn(7), images)
    for one, other in zip(found.layers, expected.layers):
        assert one.name == other.name
        np.testing.assert_array_equal(one.projections[0].weights, other.projections[0].weights)
        np.testing.assert_array_equal(one.bias, other.bias)
    np.testing.assert_array_equal(
        golden.run(found, images).logits, golden.run(expected, images).logits
    )


def test_a_module_that_is_made_already_and_one_without_weights(folder):
    spec = f"{folder / 'model.py'}:made"
    assert isinstance(load_model(spec), nn.Module)
    loaded = load_model(spec, str(folder / "w.npz"))
    assert torch.equal(loaded[0].weight, tiny_cnn(7)[0].weight)


@pytest.mark.parametrize(
    ("spec", "weights", "expected"),
    [
        ("nowhere.py:tiny", None, "nowhere.py: no such file"),
        ("nowhere.pt2", None, "nowhere.pt2: no such file"),
        ("model.py", None, "a model is file.py:factory, or a .pt2"),
        ("model.onnx", None, "a model is file.py:factory, or a .pt2"),
        ("model.py:tinny", None, "unknown factory 'tinny'; did you mean 'tiny'?"),
        ("model.py:number", None, "must be a function, class or module"),
        ("model.py:fails", None, "fails(): failed: no such data"),
        ("model.py:gives_none", None, "must return a torch.nn.Module, not NoneType"),
        ("broken.py:tiny", None, "cannot be run: ModuleNotFoundError: No module named 'nothing_of"),
        ("typo.py:tiny", None, "cannot be run: SyntaxError"),
        ("model.py:tiny", "nowhere.pt", "nowhere.pt: no such file"),
        ("model.py:tiny", "model.py", "weights are .pt, .safetensors or .npz files"),
        ("m.pt2", "w.pt", "a .pt2 holds its weights; leave the others out"),
    ],
)
def test_what_is_not_there(folder, spec, weights, expected):
    with pytest.raises(ConversionError) as caught:
        load_model(str(folder / spec), weights and folder / weights)
    assert expected in str(caught.value)


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors", "w.npz", "m.pt2"])
@pytest.mark.parametrize("damage", ["half", "empty", "text"])
def test_damaged_files(folder, name, damage):
    path = folder / name
    content = path.read_bytes()
    path.write_bytes({"half": content[: len(content) // 2], "empty": b"", "text": b"no"}[damage])
    spec = str(path) if name == "m.pt2" else f"{folder / 'model.py'}:tiny"
    with pytest.raises(ConversionError, match="damaged"):
        load_model(spec, None if name == "m.pt2" else path)


def test_weights_of_another_model(folder):
    state = tiny_cnn(0, classes=5).state_dict()
    state["extra"] = state.pop("0.bias")
    torch.save(state, folder / "other.pt")
    with pytest.raises(ConversionError) as caught:
        load_model(f"{folder / 'model.py'}:tiny", folder / "other.pt")
    message = str(caught.value)
    assert "lacks 0.bias; has unknown extra; has 6.weight (5, 24) instead of (4, 24)" in message
    torch.save([1, 2], folder / "list.pt")
    with pytest.raises(ConversionError, match="it is not a state dict of tensors"):
        load_model(f"{folder / 'model.py'}:tiny", folder / "list.pt")


# --- nothing is unpickled -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["torch", "pickle", "npz"])
def test_pickled_objects_in_weights(folder, tmp_path, kind):
    trap, path = tmp_path / "trap", tmp_path / ("evil.npz" if kind == "npz" else "evil.pt")
    if kind == "torch":
        torch.save({"0.weight": Evil(trap)}, path)
    elif kind == "pickle":
        path.write_bytes(pickle.dumps({"0.weight": Evil(trap)}))
    else:
        np.savez(path, **{"0.weight": np.array([Evil(trap)], object)})
    with pytest.raises(ConversionError, match="never loaded"):
        load_model(f"{folder / 'model.py'}:tiny", path)
    assert not trap.exists()


def rewritten(source: Path, target: Path, change) -> Path:
    """A copy of an archive, each member's content given to ``change(name, content)``."""
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as made:
        for item in given.infolist():
            content = change(item.filename, given.read(item))
            made.writestr(item.filename, content, zipfile.ZIP_STORED)
    return target


def evil_bytes(trap: Path, tmp_path: Path) -> bytes:
    torch.save((Evil(trap),), tmp_path / "inner.pt")
    return (tmp_path / "inner.pt").read_bytes()


@pytest.mark.parametrize("place", ["sample inputs", "weight", "constant", "opaque"])
def test_pickled_objects_in_a_program(folder, tmp_path, place):
    trap = tmp_path / "trap"
    payload = evil_bytes(trap, tmp_path)

    def change(name: str, content: bytes) -> bytes:
        if place == "sample inputs" and "sample_inputs" in name:
            return payload
        if place == "weight" and name.endswith("weight_0"):
            return payload
        if place == "weight" and name.endswith("weights_config.json"):
            config = json.loads(content)
            for item in config["config"].values():
                item["use_pickle"] = item["path_name"] == "weight_0"
            return json.dumps(config).encode()
        if place in ("constant", "opaque") and name.endswith("constants_config.json"):
            kind = "custom_obj_0" if place == "constant" else "opaque_obj_0"
            item = {"path_name": kind, "is_param": False, "use_pickle": True, "tensor_meta": None}
            return json.dumps({"config": {"c": item}}).encode()
        return content

    path = rewritten(folder / "m.pt2", tmp_path / "evil.pt2", change)
    with pytest.raises(ConversionError, match="must be a program of plain tensors"):
        load_model(str(path))
    assert not trap.exists()


def test_the_payload_would_run_without_the_guard(folder, tmp_path):
    """So the tests above test something: torch.export.load alone does unpickle."""
    trap = tmp_path / "trap"
    payload = evil_bytes(trap, tmp_path)
    path = rewritten(
        folder / "m.pt2",
        tmp_path / "evil.pt2",
        lambda name, content: payload if "sample_inputs" in name else content,
    )
    with contextlib.suppress(Exception):  # whatever it makes of it
        torch.export.load(path)
    assert trap.exists()


@pytest.mark.parametrize("code", ["__import__('os').getcwd()", "input()", "os.sep", "__name__"])
def test_code_in_the_place_of_a_shape(folder, tmp_path, code):
    program = torch.export.export(
        tiny_cnn(), (torch.zeros(3, 2, 8, 8),), dynamic_shapes=({0: torch.export.Dim("n")},)
    )
    path = tmp_path / "dynamic.pt2"
    torch.export.save(program, path)
    load_model(str(path))
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.endswith("models/model.json"))
        content = archive.read(name)
    assert b"expr_str" in content

    def change(member: str, given: bytes) -> bytes:
        return given.replace(b'"expr_str": "', f'"expr_str": "{code} + '.encode())

    evil = rewritten(path, tmp_path / "evil.pt2", change)
    with pytest.raises(ConversionError, match="instead of a expr_str"):
        load_model(str(evil))
