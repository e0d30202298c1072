"""Fuzz targets: one entry of LOADERS per file that hwgen reads and somebody else may have made.

A new loader needs one entry: how a valid folder is made, which of its files is mutated, how it is
read, and what two equal readings have in common.
"""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from hypothesis import HealthCheck, Phase, given, settings

from benchmarks.mutations import changed_bytes, changed_tree
from hwgen import artefact, boards
from hwgen.artefact.arrays import array_entry, write_arrays
from hwgen.artefact.evaluation_file import EvaluationFile
from hwgen.artefact.network_folder import document_hash
from hwgen.conversion.provenance import Provenance
from hwgen.errors import HwgenError
from hwgen.plan import folding_file

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "tests" / "artefact" / "folders" / "format_1"  # holds every kind of node
HANG = 30.0  # seconds after which a reading counts as one
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LONGEST = 1_500  # characters of a message


class HangError(BaseException):
    """A reading took longer than HANG."""


@dataclass(frozen=True, kw_only=True)
class Loader:
    """A file that is mutated and read.

    Parameters
    ----------
    name : name in the table
    file : the file that is mutated, in the folder that ``make`` fills with valid files
    read : reads the folder
    meaning : what two equal readings have in common, by ``==``
    parse, write : the value of the file, and the file of a value; None: bytes only
    """

    name: str
    file: str
    make: Callable[[Path], None]
    read: Callable[[Path], Any]
    meaning: Callable[[Any], Any] = repr
    parse: Callable[[Path], Any] | None = None
    write: Callable[[Path, Any], None] | None = None


@dataclass(kw_only=True)
class Outcome:
    """Counts of one loader; ``failures`` are descriptions of what must not happen."""

    tried: int = 0
    refused: int = 0
    same: int = 0
    different: int = 0
    tracebacks: int = 0
    hangs: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)


def fuzz(loader: Loader, mutations: int) -> Outcome:
    """Read ``mutations`` mutations of a valid file, the same ones in every run."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as name:
        valid, folder = Path(name) / "valid", Path(name) / "mutated"
        valid.mkdir()
        loader.make(valid)
        meaning = loader.meaning(loader.read(valid))
        content = (valid / loader.file).read_bytes()
        changes = changed_bytes(content).map(lambda data: ("bytes", data))
        if loader.parse is not None:
            trees = changed_tree(loader.parse(valid / loader.file))
            changes |= trees.map(lambda tree: ("tree", tree))

        @settings(
            max_examples=mutations, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate],
        )  # fmt: skip
        @given(changes)
        def attempt(change: tuple[str, Any]) -> None:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(valid, folder)
            kind, value = change
            if kind == "bytes":
                (folder / loader.file).write_bytes(value)
            else:
                assert loader.write is not None
                loader.write(folder / loader.file, value)
            _read(loader, folder, meaning, outcome, change)

        attempt()
    return outcome


def _read(loader: Loader, folder: Path, meaning: Any, outcome: Outcome, change: Any) -> None:
    outcome.tried += 1
    start = time.perf_counter()
    try:
        with _alarm():
            found = loader.meaning(loader.read(folder))
        if found == meaning:
            outcome.same += 1
        else:
            outcome.different += 1
    except HwgenError as error:
        if str(error).isprintable() and len(str(error)) <= LONGEST:
            outcome.refused += 1
        else:
            outcome.tracebacks += 1
            outcome.failures.append(f"message {str(error)[:300]!r} of {str(change)[:600]}")
    except HangError:
        outcome.hangs += 1
        outcome.failures.append(f"hang of {str(change)[:600]}")
    except Exception as error:  # noqa: BLE001  # any other exception is what is looked for
        outcome.tracebacks += 1
        outcome.failures.append(f"{error!r:.300} of {str(change)[:600]}")
    outcome.seconds = max(outcome.seconds, time.perf_counter() - start)


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- formats -------------------------------------------------------------------------------------


def parse_json(path: Path) -> Any:
    """The value of a JSON file."""
    return json.loads(path.read_text("utf-8"))


def write_json_value(path: Path, value: Any) -> None:
    """Any value as JSON; NaN and infinity by their JavaScript names."""
    path.write_text(json.dumps(value), "utf-8")


def parse_yaml_file(path: Path) -> Any:
    """The value of a YAML file."""
    return yaml.load(path.read_text("utf-8"), Loader=_LOADER)  # noqa: S506  # a safe one


def write_yaml_value(path: Path, value: Any) -> None:
    """Any value as YAML."""
    path.write_text(yaml.dump(value, Dumper=_DUMPER, sort_keys=False), "utf-8")


def write_signed(path: Path, value: Any) -> None:
    """A network's document with the hash of its content, so that the rules behind it are tried."""
    with suppress(Exception):
        value["sha256"] = document_hash(value)
    write_yaml_value(path, value)


def parse_arrays(path: Path) -> Any:
    """Arrays as plain values."""
    with np.load(path, allow_pickle=False) as archive:
        return [
            {"dtype": archive[name].dtype.name, "values": archive[name].tolist()}
            for name in archive.files
        ]


def write_listed_arrays(path: Path, value: Any) -> None:
    """Arrays, and a document that lists and signs them, so that the network's rules are tried."""
    arrays = []
    for item in value if isinstance(value, list) else []:
        with suppress(Exception):
            arrays.append(np.array(item["values"], dtype=item["dtype"]))
    write_arrays(path, [array for array in arrays if array.dtype != object])
    with np.load(path) as archive:
        entries = [array_entry(archive[name]) for name in archive.files]
    document = parse_yaml_file(path.parent / artefact.NETWORK_FILE)
    write_signed(path.parent / artefact.NETWORK_FILE, {**document, "arrays": entries})


class _NoAliases:
    def ignore_aliases(self, data: Any) -> bool:
        return True


_DUMPER: Any = type("_DUMPER", (_NoAliases, getattr(yaml, "CSafeDumper", yaml.SafeDumper)), {})

# --- loaders -------------------------------------------------------------------------------------


def _network(folder: Path) -> None:
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)


def _converted(folder: Path) -> None:
    """A network with the provenance of a conversion."""
    document = parse_yaml_file(EXAMPLE / artefact.NETWORK_FILE)
    document["provenance"] = {
        "method": "spikeconverter", "options": {"timesteps": 4, "neuron": "ilif"}, "scale": 0.01,
        "mean": [0.5], "std": [0.25], "calibration_images": 20, "hwgen": "0.1", "notes": ["note"],
        "fidelity": {"images": 20, "held_out": False, "agreement": 97.5, "signal_to_error": 30.1,
                     "layers": {"conv": 31.0}},
        "trials": [{"name": "a", "agreement": 90.0, "signal_to_error": 20.0}],
        "float_accuracy": 98.5, "warnings": ["text"],
    }  # fmt: skip
    _network(folder)
    write_signed(folder / artefact.NETWORK_FILE, document)


def _evaluation(folder: Path) -> None:
    EvaluationFile(
        network_hash="0" * 64, data="digits", images=100, accuracy=97.5, float_accuracy=None,
        float_images=None, spikes_per_neuron=1.25, synaptic_operations=1e5, macs=12_345,
    ).write(folder)  # fmt: skip


def _folding(folder: Path) -> None:
    options = folding_file.LayerFolding
    layers = {
        "conv": options(lanes=4, scanners=2, orders=[[0, 2, 1, 3]]),
        "a\nb": options(weight_memory=["lut", "block"]),
    }
    folding = folding_file.Folding(format="hwgen-folding", version=2, layers=layers)
    text = folding_file.to_yaml(folding, name="net", notes={"": "note", "conv": "as planned"})
    (folder / "folding.yaml").write_text(text, "utf-8")


def _board(folder: Path) -> None:
    shutil.copy(ROOT / "boards" / "icebreaker.yaml", folder / "board.yaml")


LOADERS = (
    Loader(
        name="network.yaml", file=artefact.NETWORK_FILE, make=_network, read=artefact.load,
        meaning=artefact.content_hash, parse=parse_yaml_file, write=write_signed,
    ),
    Loader(
        name="weights.npz", file=artefact.ARRAYS_FILE, make=_network, read=artefact.load,
        meaning=artefact.content_hash, parse=parse_arrays, write=write_listed_arrays,
    ),
    Loader(
        name="provenance", file=artefact.NETWORK_FILE, make=_converted,
        read=lambda folder: Provenance.read(artefact.load(folder).provenance),
        parse=lambda path: parse_yaml_file(path)["provenance"],
        write=lambda path, value: write_signed(
            path, {**parse_yaml_file(path), "provenance": value}
        ),
    ),
    Loader(
        name="evaluation.json", file=EvaluationFile.FILE, make=_evaluation,
        read=EvaluationFile.read, parse=parse_json, write=write_json_value,
    ),
    Loader(
        name="folding.yaml", file="folding.yaml", make=_folding,
        read=lambda folder: folding_file.read(folder / "folding.yaml"),
        parse=parse_yaml_file, write=write_yaml_value,
    ),
    Loader(
        name="board file", file="board.yaml", make=_board,
        read=lambda folder: boards.load(folder / "board.yaml"),
        parse=parse_yaml_file, write=write_yaml_value,
    ),
)  # fmt: skip
