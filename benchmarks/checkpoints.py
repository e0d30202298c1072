"""Checkpoints that people bring: each is read right, or refused in one line.

    python -m benchmarks.checkpoints [--json FILE]

Writes each kind of checkpoint (:mod:`benchmarks.checkpoint_cases`) of one small CNN, and converts
it. Right is the network that the module itself becomes, or the refusal that is expected.
"""

from __future__ import annotations

import tempfile
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from torch import nn
from torch.export import ExportedProgram

from benchmarks.checkpoint_cases import CASES, SHAPE, SOURCE, Case, cnn, trap
from benchmarks.command import make_console, make_parser, write_json
from benchmarks.table import make_table
from hwgen.artefact import content_hash
from hwgen.conversion import convert, load_model
from hwgen.errors import ConversionError, HwgenNote, HwgenWarning


def outcome(case: Case, folder: Path) -> tuple[bool, str]:
    """Whether ``case`` comes out right, and the refusal or the notes that are shown."""
    path = folder / case.file
    case.write(path, cnn())
    (folder / "model.py").write_text(SOURCE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = load_model(f"{folder / 'model.py'}:cnn", path)
            right = case.refusal is None and _network(found) == _right()
            said = "; ".join(str(w.message) for w in caught if w.category is HwgenNote)
        except ConversionError as error:
            said = str(error)
            right = case.refusal is not None and case.refusal in said and said.isprintable()
    return right and not trap(path).exists(), said.replace(f"{folder}/", "")


def _network(model: nn.Module | ExportedProgram) -> str:
    images = np.random.default_rng(3).integers(0, 256, (20, *SHAPE)).astype(np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HwgenWarning)
        return content_hash(convert(model, images, effort="fast", name="cnn"))


@cache
def _right() -> str:
    return _network(cnn())


def main(argv: list[str] | None = None) -> None:
    options = make_parser(__doc__).parse_args(argv)
    rows = []
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            right, said = outcome(case, Path(folder))
        wanted = "same network" if case.refusal is None else "refused"
        rows.append({"checkpoint": name, "wanted": wanted, "right": right, "message": said})
    console = make_console()
    console.print(
        make_table("checkpoints", rows[0], (row.values() for row in rows), left=tuple(rows[0]))
    )
    wrong = [row["checkpoint"] for row in rows if not row["right"]]
    console.print(f"{len(rows) - len(wrong)} of {len(rows)} right")
    write_json(options.json, {"rows": rows})
    if wrong:
        raise SystemExit(f"wrong: {', '.join(map(str, wrong))}")


if __name__ == "__main__":
    main()
