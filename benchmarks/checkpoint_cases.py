"""Kinds of checkpoint, each with its writer and with what is to come of it.

``None`` is the network that the module itself becomes; a text is part of the refusal.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import sys
import types
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

SOURCE = """
from torch import nn

def cnn():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24, 4),
    )
"""
SHAPE = (2, 8, 8)
State = dict[str, torch.Tensor]


def cnn(seed: int = 7) -> nn.Module:
    """The module of SOURCE, trained so far that its batch norm has seen images."""
    torch.manual_seed(seed)
    space: dict[str, Any] = {}
    exec(SOURCE, space)  # noqa: S102  # the text above
    model: nn.Module = space["cnn"]()
    with torch.no_grad():
        model(torch.rand(64, *SHAPE))
        bias = model.get_parameter("7.bias")
        bias.copy_(bias.half())  # so that half of the bits hold it exactly
    return model.eval()


@dataclass(frozen=True)
class Case:
    """A file named ``file``, written by ``write(path, model)``, and the refusal, if any."""

    file: str
    write: Callable[[Path, nn.Module], None]
    refusal: str | None = None


def _saved(make: Callable[[State], Any], **options: Any) -> Callable[[Path, nn.Module], None]:
    """A writer of what ``make`` makes of the state dict."""
    return lambda path, model: torch.save(make(dict(model.state_dict())), path, **options)


def _behind(prefix: str, state: State) -> State:
    return {prefix + name: value for name, value in state.items()}


def _other(state: State) -> State:
    """The same names with other numbers, as those of training before they are averaged."""
    return {name: value + 1 for name, value in state.items()}


def foreign(name: str, state: Mapping[str, object] | None = None) -> Any:
    """An object of a class that no reader can import: ``their_training.NAME``."""
    module = sys.modules.setdefault("their_training", types.ModuleType("their_training"))
    kind = type(name, (), {"__module__": "their_training"})
    setattr(module, name, kind)
    made = kind()
    made.__dict__.update(state or {})
    return made


def _optimiser(state: State) -> dict[str, Any]:
    moments = {"exp_avg": torch.zeros(3), "step": torch.tensor(9.0)}
    return {"state": {0: moments}, "param_groups": [{"lr": 0.1, "params": [0]}]}


def _lightning(state: State) -> dict[str, Any]:
    """What Lightning's trainer writes, with hyperparameters of classes that are not here."""
    weights = _behind("model.", state) | {"criterion.weight": torch.ones(4)}
    return {
        "epoch": 3, "global_step": 900, "pytorch-lightning_version": "2.4.0",
        "state_dict": weights, "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.9),
                                          "dirpath": Path("runs")}},
        "optimizer_states": [_optimiser(state)], "lr_schedulers": [],
        "hparams_name": "config",
        "hyper_parameters": {"config": foreign("Config", {"lr": 0.1}), "loss": nn.NLLLoss()},
    }  # fmt: skip


class Shell:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def trap(path: Path) -> Path:
    """The file that :class:`Shell` objects in the file ``path`` make when they are unpickled."""
    return path.with_name("ran")


def _shell(path: Path, model: nn.Module) -> None:
    torch.save({**model.state_dict(), "extra": Shell(f"touch {trap(path)}")}, path)


def _raw_pickle(path: Path, model: nn.Module) -> None:
    path.write_bytes(pickle.dumps({"0.weight": Shell(f"touch {trap(path)}")}, protocol=4))


def _whole(path: Path, model: nn.Module) -> None:
    holder = type("Net", (nn.Sequential,), {"__module__": "their_training"})
    foreign("x")  # so that the module is there
    vars(sys.modules["their_training"])["Net"] = holder
    torch.save(holder(*model), path)  # type: ignore[misc]  # a Sequential


def _script(path: Path, model: nn.Module) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of PyTorch deprecate scripts
        torch.jit.save(torch.jit.script(model), str(path))


def _program(path: Path, model: nn.Module) -> None:
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(model, (torch.zeros(2, *SHAPE),), strict=False), buffer)
    path.write_bytes(buffer.getvalue())


def _half(path: Path, model: nn.Module) -> None:
    torch.save(model.state_dict(), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _changed(name: str, change: Callable[[torch.Tensor], Any]) -> Callable[[State], State]:
    return lambda state: state | {name: change(state[name])}


def _quantised(value: torch.Tensor) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of PyTorch deprecate these tensors
        return torch.quantize_per_tensor(value, 0.1, 0, torch.qint8)


CASES: Mapping[str, Case] = {
    "state dict, .pt": Case("w.pt", _saved(lambda s: s)),
    "state dict, .pth": Case("w.pth", _saved(lambda s: s)),
    "state dict, .bin": Case("pytorch_model.bin", _saved(lambda s: s)),
    "state dict, before PyTorch 1.6": Case(
        "w.pt", _saved(lambda s: s, _use_new_zipfile_serialization=False)
    ),
    "safetensors": Case("w.safetensors", lambda p, m: save_file(dict(m.state_dict()), p)),
    "safetensors, prefix": Case(
        "w.safetensors", lambda p, m: save_file(_behind("model.", dict(m.state_dict())), p)
    ),
    "npz": Case("w.npz", lambda p, m: np.savez(p, **{k: v.numpy() for k, v in m.state_dict().items()})),  # noqa: E501
    "net, acc and epoch": Case("ckpt.pth", _saved(
        lambda s: {"net": _behind("module.", s), "acc": torch.tensor(93.1), "epoch": 3})),
    "state_dict of DataParallel": Case("model_best.pth.tar", _saved(
        lambda s: {"epoch": 3, "arch": "cnn", "state_dict": _behind("module.", s),
                   "optimizer": _optimiser(s)})),
    "model and the program's arguments": Case("checkpoint.pth", _saved(
        lambda s: {"model": s, "optimizer": _optimiser(s), "args": argparse.Namespace(lr=0.1)})),
    "model_state_dict": Case("w.pt", _saved(
        lambda s: {"model_state_dict": s, "optimizer_state_dict": _optimiser(s)})),
    "state_dict_ema beside state_dict": Case("w.pth", _saved(
        lambda s: {"state_dict": _other(s), "state_dict_ema": s})),
    "averaged by AveragedModel": Case("w.pt", _saved(
        lambda s: {"n_averaged": torch.tensor(5), **_behind("module.", s)})),
    "Lightning": Case("last.ckpt", _saved(_lightning)),
    "Lightning, compiled": Case("last.ckpt", _saved(
        lambda s: {"state_dict": _behind("net._orig_mod.", s), "epoch": 1})),
    "compiled": Case("w.pt", _saved(lambda s: _behind("_orig_mod.", s))),
    "half precision": Case("w.pt", _saved(lambda s: {
        name: value.half() if name == "7.bias" else value for name, value in s.items()})),
    "no counts of batches": Case("w.pt", _saved(lambda s: {
        name: value for name, value in s.items() if "num_batches" not in name})),
    "whole module": Case(
        "net.pt", _whole, "holds pickled objects (their_training.Net), which are never loaded"),
    "whole module below a key": Case("net.pt", _saved(
        lambda s: {"epoch": 3, "model": foreign("Net", s)}),
        "holds pickled objects (their_training.Net), which are never loaded, since that runs code; "
        "save the weights alone, by torch.save(model.state_dict(), …)"),
    "a command, torch.save": Case("w.pt", _shell, "holds pickled objects (posix.system)"),
    "a command, pickle": Case("w.bin", _raw_pickle, "holds pickled objects (posix.system)"),
    "a command, .safetensors": Case("w.safetensors", _raw_pickle, "is no safetensors file"),
    "torch.jit": Case("w.pt", _script, "is a program of torch.jit, not weights"),
    "torch.export": Case("w.pth", _program, "is a program of torch.export, not weights"),
    "sparse": Case("w.pt", _saved(_changed("7.weight", torch.Tensor.to_sparse)),
                   "7.weight is sparse (torch.sparse_coo); save it as to_dense()"),
    "quantised": Case("w.pt", _saved(_changed("7.weight", _quantised)),
                      "7.weight is quantised (torch.qint8); give the weights of the float model"),
    "integers": Case("w.pt", _saved(_changed("7.weight", torch.Tensor.char)),
                     "7.weight holds integers (torch.int8)"),
    "NaN": Case("w.pt", _saved(_changed("7.bias", lambda value: value * torch.nan)),
                "7.bias holds NaN or infinity (4 of 4)"),
    "of another model": Case("w.pt", lambda p, m: torch.save({"fc.weight": torch.ones(3)}, p),
                             "does not fit the model: lacks 0.weight, 0.bias, 1.weight, 1.bias, "
                             "1.running_mean and 5 more; has unknown fc.weight; give"),
    "two models": Case("w.pt", _saved(
        lambda s: {**_behind("student.", s), **_behind("teacher.", _other(s))}),
        "holds weights of this model 2 times, as student., teacher.; save those of one model"),
    "an escape sequence in a name": Case("w.pt", _saved(lambda s: s | {"\x1b[2J\nok": s["7.bias"]}),
                                         r"has unknown \x1b[2J ok; give"),
    "no tensors": Case("w.pt", lambda p, m: torch.save([1, 2], p),
                       "holds a list without tensors by name, no state dict"),
    "half a file": Case("w.pt", _half, "is damaged, or was not written by torch.save"),
}  # fmt: skip
