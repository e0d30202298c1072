"""Models from files, which are programs, and their weights, which are data."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from benchmarks.checkpoint_cases import Shell
from hwgen import golden
from hwgen.conversion import load_model, load_weights
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
def leaves(): raise SystemExit("usage: train")
class Odd(Exception): pass
def own_error(): raise Odd
"""


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
    program = torch.export.export(model, (torch.zeros(2, 2, 8, 8),), strict=False)
    torch.export.save(program, tmp_path / "m.pt2")
    return tmp_path


@pytest.mark.parametrize("weights", ["w.pt", "checkpoint.pth", "w.safetensors", "w.npz", None])
def test_every_way_gives_the_same_integers(folder, weights):
    if weights is None:
        model = load_model(str(folder / "m.pt2"), trust_model=True)
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
        ("model.py:leaves", None, "leaves(): failed: usage: train"),
        ("model.py:own_error", None, "own_error(): failed: Odd"),
        ("broken.py:tiny", None, "cannot be run: ModuleNotFoundError: No module named 'nothing_of"),
        ("typo.py:tiny", None, "cannot be run: SyntaxError"),
        ("model.py:tiny", "nowhere.pt", "nowhere.pt: no such file"),
        ("w.pt", None, "holds weights alone; give the model as file.py:factory"),
        ("model.py:tiny", "model.py", "weights are .pt, .pth, .bin, .ckpt, .safetensors or .npz"),
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
        load_model(spec, None if name == "m.pt2" else path, trust_model=True)


def test_a_program_is_loaded_for_those_who_trust_it_alone(folder):
    with pytest.raises(ConversionError) as caught:
        load_model(str(folder / "m.pt2"))
    assert str(caught.value) == (
        f"{folder / 'm.pt2'}: a .pt2 is a program, and loading it can run anything with your "
        f"rights; pass --trust-model (in Python: trust_model=True) if you trust its maker, or give "
        f"the model as file.py:factory and its weights by torch.save(model.state_dict(), …)"
    )


def test_a_program_without_trust_is_not_looked_at(folder, monkeypatch):
    """So that no kind of content, known or not, can run."""
    monkeypatch.setattr(torch.export, "load", lambda *_: pytest.fail("loaded"))
    monkeypatch.setattr(torch, "load", lambda *_: pytest.fail("loaded"))
    (folder / "x.pt2").write_bytes(b"nothing that could be read")
    with pytest.raises(ConversionError, match="a .pt2 is a program"):
        load_model(str(folder / "x.pt2"))


def test_a_file_that_may_not_be_read(folder, monkeypatch):
    def refuse(path: Path, flags: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ConversionError, match=r"w\.npz: cannot be opened: Permission denied"):
        load_weights(folder / "w.npz")


# --- programs that run something when they are loaded ---------------------------------------------


def rewritten(source: Path, target: Path, change) -> Path:
    """A copy of an archive, each member's content given to ``change(name, content)``."""
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as made:
        for item in given.infolist():
            content = change(item.filename, given.read(item))
            made.writestr(item.filename, content, zipfile.ZIP_STORED)
    return target


def pickled_samples(name: str, content: bytes, trap: Path) -> bytes:
    """Its sample inputs are a pickle."""
    if "sample_inputs" not in name:
        return content
    buffer = io.BytesIO()
    torch.save((Shell(f"touch {trap}"),), buffer)
    return buffer.getvalue()


def called_by_parentheses(name: str, content: bytes, trap: Path) -> bytes:
    """The expression of a shape is Python."""
    code = f"__import__('os').system('touch {trap}') + ".encode()
    return content.replace(b'"expr_str": "', b'"expr_str": "' + code)


def named_otherwise(name: str, content: bytes, trap: Path) -> bytes:
    """Weights that are said to be a pickle, which they are."""
    if name.endswith("weights_config.json"):
        config = json.loads(content)
        for item in config["config"].values():
            item["use_pickle"] = True
        return json.dumps(config).encode()
    if name.endswith("weight_0"):
        return pickled_samples("sample_inputs", content, trap)
    return content


KINDS = (pickled_samples, called_by_parentheses, named_otherwise)


@pytest.mark.parametrize("change", KINDS)
def test_a_crafted_program_does_not_run(folder, change):
    trap = folder / "trap"
    program = torch.export.export(
        tiny_cnn(),
        (torch.zeros(3, 2, 8, 8),),
        dynamic_shapes=({0: torch.export.Dim("n")},),
        strict=False,
    )
    torch.export.save(program, folder / "m.pt2")
    changed = []

    def crafted(name: str, content: bytes) -> bytes:
        made = change(name, content, trap)
        changed.append(made != content)
        return made

    evil = rewritten(folder / "m.pt2", folder / "evil.pt2", crafted)
    if not any(changed):
        pytest.skip("this version of PyTorch writes no such member")
    with pytest.raises(ConversionError, match="a .pt2 is a program"):
        load_model(str(evil))
    assert not trap.exists()
    # Each is the danger that it is taken for: who says that he trusts it has it run.
    with contextlib.suppress(ConversionError):
        load_model(str(evil), trust_model=True)
    assert trap.exists()
