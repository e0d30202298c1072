"""Files of torch.save, read without their code: what is no tensor becomes an inert stand-in.

A pickle names functions and classes, and unpickling calls them. PyTorch's own reader of weights
(``weights_only``) calls none but those that make tensors, and gives up at any other name. A
checkpoint of a training library has such names beside its weights, say in its hyperparameters;
they are looked up by reading the pickle as text, and given to the reader as classes that do
nothing.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import warnings
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import torch

from hwgen.conversion.frontend.plain import listing
from hwgen.errors import ConversionError

SAVE = "torch.save(model.state_dict(), …)"
_PICKLES = 5  # of a file that PyTorch before 1.6 wrote, before its numbers
_STRINGS = ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE")
_LONGEST = 16 << 20  # bytes of a pickle; the numbers of tensors lie outside of it
_PROGRAMS = {
    "constants.pkl": "torch.jit",
    "archive_format": "torch.export",
    "serialized_exported_program.json": "torch.export",  # of PyTorch before 2.8
}
_DICTIONARIES = ("collections.defaultdict",)


class Foreign:
    """Stand-in for an object of a class that a file names: holds nothing, does nothing."""

    named = ""

    def __new__(cls, *_: object) -> Foreign:
        return super().__new__(cls)

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def read_pickle(path: Path) -> Any:
    """What torch.save wrote into ``path``, with :class:`Foreign` objects in the place of others.

    Raises :class:`.ConversionError` for a program, for damage, and for objects without which the
    rest cannot be read.
    """
    names: list[str] = []
    try:
        names = _foreign_names(path)
        stands = [(_stand_in(name), name) for name in names]
        with warnings.catch_warnings(), torch.serialization.safe_globals(stands):  # type: ignore[arg-type]  # pairs are allowed
            warnings.simplefilter("ignore")  # of pickle protocols, before the refusal
            return torch.load(path, map_location="cpu", weights_only=True)
    except ConversionError:
        raise
    except Exception as error:  # of a reader that is given bytes made up by anybody
        if names:
            raise pickled_objects(path, names) from error
        raise ConversionError(
            f"{path}: is damaged, or was not written by torch.save; write it by {SAVE}"
        ) from error


def pickled_objects(path: Path, names: list[str]) -> ConversionError:
    """The refusal of a file that holds objects of the classes ``names`` instead of weights."""
    return ConversionError(
        f"{path}: holds pickled objects ({listing(names, shown=3)}), which are never loaded, since "
        f"that runs code; save the weights alone, by {SAVE}"
    )


def _stand_in(name: str) -> Any:
    if name in _DICTIONARIES:  # the reader fills these, which it only does to a true dictionary
        return lambda *_: {}
    return type("Foreign", (Foreign,), {"named": name})


def _foreign_names(path: Path) -> list[str]:
    """Names in the pickles of ``path`` that PyTorch does not load as part of a tensor."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _require_weights(path, archive)
            found = [
                name
                for member in archive.namelist()
                if member.rpartition("/")[2] == "data.pkl"
                for name in _names(io.BytesIO(archive.read(member)), path)
            ]
    else:
        with path.open("rb") as file:
            found = [name for _ in range(_PICKLES) for name in _names(file, path)]
    reader = torch._weights_only_unpickler
    known = reader._get_allowed_globals()
    return [name for name in dict.fromkeys(found) if name not in known]


def _require_weights(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse programs, and members that unpack to more than they take on disk."""
    members = {name.rpartition("/")[2] for name in archive.namelist()}
    for mark, library in _PROGRAMS.items():
        if mark in members:
            raise ConversionError(
                f"{path}: is a program of {library}, not weights; save the weights alone, by {SAVE}"
            )
    if len(set(archive.namelist())) < len(archive.namelist()) or any(
        item.compress_type != zipfile.ZIP_STORED for item in archive.infolist()
    ):
        raise ConversionError(
            f"{path}: has compressed or repeated members, which torch.save never writes; write it "
            f"by {SAVE}"
        )


def _names(file: BinaryIO, path: Path) -> Iterator[str]:
    """Functions and classes that the pickle at the file's position names; nothing is called."""
    start = file.tell()
    strings: list[str] = []
    memo: dict[int, str] = {}
    try:
        for code, argument, _ in pickletools.genops(file):
            if file.tell() - start > _LONGEST:
                raise ConversionError(
                    f"{path}: holds far more than weights, a pickle of over {_LONGEST:,} bytes; "
                    f"save the weights alone, by {SAVE}"
                )
            if code.name == "GLOBAL":
                module, _, name = str(argument).partition(" ")
                yield _today(module, name)
            elif code.name == "STACK_GLOBAL" and len(strings) > 1:
                yield _today(*strings[-2:])
            elif code.name in _STRINGS:
                strings.append(str(argument))
            elif code.name.endswith("GET") and argument in memo:
                strings.append(memo[argument])
            elif code.name == "MEMOIZE" and strings:
                memo[len(memo)] = strings[-1]
            elif code.name.endswith("PUT") and strings and argument is not None:
                memo[int(argument)] = strings[-1]
    except (ValueError, EOFError, pickle.UnpicklingError):
        return  # no pickle, or its end is missing: torch.load will say so


def _today(module: str, name: str) -> str:
    """The name in Python 3 of what a pickle of protocol 2 names as in Python 2."""
    if (module, name) in NAME_MAPPING:
        return ".".join(NAME_MAPPING[module, name])
    return f"{IMPORT_MAPPING.get(module, module)}.{name}"
