"""Checkpoints are data: each is read right or refused in one line, and nothing in it runs."""

from __future__ import annotations

import sys
import warnings
import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from benchmarks.checkpoint_cases import CASES, Shell, cnn, foreign
from benchmarks.checkpoints import outcome
from hwgen.conversion import load_weights
from hwgen.conversion.frontend.plain import plain
from hwgen.conversion.frontend.weight_files import set_weights
from hwgen.errors import ConversionError, HwgenNote


@pytest.mark.parametrize("name", CASES)
def test_a_kind_of_checkpoint(tmp_path: Path, name: str) -> None:
    right, said = outcome(CASES[name], tmp_path)
    assert right, said


def filled(path: Path, model: nn.Module | None = None) -> nn.Module:
    model = cnn(1) if model is None else model
    set_weights(model, path)
    return model


def refusal(path: Path, model: nn.Module | None = None) -> str:
    with pytest.raises(ConversionError) as caught:
        filled(path, model)
    return str(caught.value).replace(f"{path.parent}/", "")


# --- nothing runs ---------------------------------------------------------------------------------


def test_a_shell_command_would_run_without_the_guard(tmp_path: Path) -> None:
    """So the cases with a command test something."""
    torch.save(Shell(f"touch {tmp_path / 'ran'}"), tmp_path / "w.pt")
    torch.load(tmp_path / "w.pt", weights_only=False)
    assert (tmp_path / "ran").exists()


def test_no_python_file_beside_the_checkpoint_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"state_dict": cnn().state_dict(), "config": foreign("Config")}, tmp_path / "w.ckpt")
    torch.save(foreign("Net"), tmp_path / "net.pt")
    for name in ("their_training", "numpy_", "safetensors_"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.delitem(sys.modules, "their_training")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert torch.equal(filled(tmp_path / "w.ckpt")[0].weight, cnn()[0].weight)
    assert "their_training.Net" in refusal(tmp_path / "net.pt")
    assert not (tmp_path / "ran").exists()
    assert "their_training" not in sys.modules


def test_other_readers_keep_what_is_safe_for_them(tmp_path: Path) -> None:
    before = set(torch.serialization.get_safe_globals())
    torch.save({"state_dict": cnn().state_dict(), "config": foreign("Config")}, tmp_path / "w.ckpt")
    filled(tmp_path / "w.ckpt")
    assert set(torch.serialization.get_safe_globals()) == before


def test_objects_in_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **{"0.weight": np.array([Shell(f"touch {tmp_path / 'ran'}")])})
    assert "objects are never loaded, since that runs code" in refusal(tmp_path / "w.npz")
    assert not (tmp_path / "ran").exists()


# --- bounded --------------------------------------------------------------------------------------


def test_arrays_that_unpack_to_far_more_than_the_file(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "w.npz", **{"0.weight": np.zeros(17 << 20, np.float32)})
    assert "unpacks to 71,303,296 bytes, over 100 times its size; store it uncompressed" in (
        refusal(tmp_path / "w.npz")
    )
    arrays = {name: value.numpy() for name, value in cnn().state_dict().items()}
    np.savez_compressed(tmp_path / "w.npz", **arrays)
    filled(tmp_path / "w.npz")


@pytest.mark.parametrize("change", ["compressed", "repeated"])
def test_members_that_torch_never_writes(tmp_path: Path, change: str) -> None:
    torch.save(cnn().state_dict(), tmp_path / "w.pt")
    kind = zipfile.ZIP_DEFLATED if change == "compressed" else zipfile.ZIP_STORED
    with zipfile.ZipFile(tmp_path / "w.pt") as given, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the second name
        with zipfile.ZipFile(tmp_path / "evil.pt", "w", kind) as made:
            for item in given.infolist():
                made.writestr(item.filename, given.read(item))
            if change == "repeated":
                made.writestr(given.namelist()[0], b"")
    assert "compressed or repeated members, which torch.save never" in refusal(tmp_path / "evil.pt")


def test_a_checkpoint_that_holds_itself(tmp_path: Path) -> None:
    content: dict[str, object] = {"net": cnn().state_dict()}
    content |= {f"again{number}": content for number in range(500)}
    torch.save(content, tmp_path / "w.pt")
    filled(tmp_path / "w.pt")


@pytest.mark.parametrize("archive", [True, False])
def test_a_pickle_that_is_too_long_to_read(tmp_path: Path, archive: bool) -> None:
    content = {"net": cnn().state_dict(), "log": "x" * (16 << 20)}
    torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=archive)
    assert "a pickle of over 16,777,216 bytes; save the weights alone" in refusal(tmp_path / "w.pt")
    torch.save({**content, "log": "x" * (15 << 20)}, tmp_path / "w.pt",
               _use_new_zipfile_serialization=archive)  # fmt: skip
    filled(tmp_path / "w.pt")


# --- what fits ------------------------------------------------------------------------------------


def test_the_only_name_of_tied_weights(tmp_path: Path) -> None:
    def tied() -> nn.Sequential:
        model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
        model[2].weight = model[0].weight
        return model

    model = tied()
    state = {name: value for name, value in model.state_dict().items() if name != "0.weight"}
    save_file(state, tmp_path / "w.safetensors")
    assert torch.equal(filled(tmp_path / "w.safetensors", tied())[0].weight, model[0].weight)
    del state["2.weight"]
    save_file(state, tmp_path / "w.safetensors")
    assert "lacks 0.weight; give" in refusal(tmp_path / "w.safetensors", tied())


def test_parameters_that_the_checkpoint_initialises(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Linear(6, 3)).state_dict(), tmp_path / "w.pt")
    assert filled(tmp_path / "w.pt", nn.Sequential(nn.LazyLinear(3)))[0].weight.shape == (3, 6)


def test_shapes_tell_layers_of_equal_names_apart(tmp_path: Path) -> None:
    """The names of a single layer are those of any other one behind its own prefix."""
    network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))
    torch.save(network.state_dict(), tmp_path / "w.pt")
    with pytest.warns(HwgenNote, match=r"behind '2\.'; 0.weight, 0.bias left out"):
        assert torch.equal(filled(tmp_path / "w.pt", nn.Linear(6, 3)).weight, network[2].weight)


def test_what_lies_outside_of_the_prefix_is_told(tmp_path: Path) -> None:
    state = {f"net.{name}": value for name, value in cnn().state_dict().items()}
    torch.save(state | {"loss.w": torch.ones(1), "\x1b[31mred": torch.ones(1)}, tmp_path / "w.pt")
    with pytest.warns(HwgenNote) as said:
        filled(tmp_path / "w.pt")
    assert [str(one.message).partition(": ")[2] for one in said] == [
        r"weights are those behind 'net.'; loss.w, \x1b[31mred left out"
    ]
    torch.save(state | {"net.more": torch.ones(1)}, tmp_path / "w.pt")
    assert "does not fit the model: has unknown net.more; give" in refusal(tmp_path / "w.pt")


def test_a_shape_of_another_model_and_several_unusable_weights(tmp_path: Path) -> None:
    state = cnn().state_dict()
    torch.save(state | {"0.bias": torch.ones(5)}, tmp_path / "w.pt")
    assert refusal(tmp_path / "w.pt") == ("w.pt: 0.bias is (5,) instead of (4,); give this model's")
    nan = {name: value * torch.nan for name, value in state.items() if "weight" in name}
    torch.save(state | nan, tmp_path / "w.pt")
    assert refusal(tmp_path / "w.pt").startswith("w.pt: 0.weight holds NaN or infinity (72 of 72);")
    assert refusal(tmp_path / "w.pt").endswith(" and 1 more")


def test_a_dictionary_of_another_class(tmp_path: Path) -> None:
    torch.save({"net": cnn().state_dict(), "log": defaultdict(list, loss=[1.0])}, tmp_path / "w.pt")
    filled(tmp_path / "w.pt")


def test_load_weights_gives_the_largest_state_dict(tmp_path: Path) -> None:
    state = cnn().state_dict()
    torch.save({"acc": torch.tensor(3.0), "net": state}, tmp_path / "w.pt")
    assert load_weights(tmp_path / "w.pt").keys() == state.keys()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fc.weight", "fc.weight"),
        ("a\x1b]0;title\x07b", r"a\x1b]0;title\x07b"),
        ("two\r\nlines\t ", "two lines"),
        ("\u202eright to left", r"\u202eright to left"),
        ("größe", "größe"),
        ("x" * 301, "x" * 300 + " …"),
    ],
)
def test_text_for_one_line_of_a_terminal(text: str, expected: str) -> None:
    assert plain(text) == expected
