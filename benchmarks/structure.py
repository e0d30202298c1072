"""The structure of the source: sizes of folders, long files, and counts of avoidable idioms.

    python -m benchmarks.structure [--root DIR] [--compare DIR] [--places WORD] [--json FILE]

Counts over ``hwgen/`` and ``sim/`` of a checkout, this one by default; ``--compare`` shows an older
checkout (``git worktree add``) in the column before. The rules are docstrings of
benchmarks/structure_counts.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.command import make_console, make_parser, write_json
from benchmarks.structure_counts import all_counts, sources
from benchmarks.table import make_table

LONG = 250
SUFFIXES = {"hwgen": {".py"}, "sim": {".py", ".v", ".j2"}}
"""Files that count, by top folder."""


def folder_sizes(root: Path) -> dict[str, tuple[int, int]]:
    """(files, lines) of each folder that has files, without its subfolders."""
    sizes: dict[str, tuple[int, int]] = {}
    for name, lines in file_lines(root).items():
        folder = f"{Path(name).parent}/"
        files, total = sizes.get(folder, (0, 0))
        sizes[folder] = files + 1, total + lines
    return sizes


def file_lines(root: Path) -> dict[str, int]:
    """Lines of each file that counts, by its path in the checkout."""
    return {
        path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for top, suffixes in SUFFIXES.items()
        for path in sorted((root / top).rglob("*"))
        if path.suffix in suffixes
    }


def measure(root: Path) -> dict[str, Any]:
    """All figures of the checkout ``root``."""
    lines, folders = file_lines(root), folder_sizes(root)
    largest = max(folders, key=lambda folder: folders[folder])
    return {
        "folders": folders,
        "files": len(lines),
        "lines": sum(lines.values()),
        "largest_folder": largest,
        "largest_folder_files": folders[largest][0],
        "long_files": {name: count for name, count in lines.items() if count > LONG},
        "places": all_counts(sources(root)),
    }


def totals(figures: dict[str, Any]) -> dict[str, int]:
    """One number for each line of the summary."""
    return {
        "files": figures["files"],
        "lines": figures["lines"],
        "folders": len(figures["folders"]),
        "files in the largest folder": figures["largest_folder_files"],
        f"files over {LONG} lines": len(figures["long_files"]),
        **{title: len(places) for title, places in figures["places"].items()},
    }


def main(argv: list[str] | None = None) -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], metavar="DIR")
    parser.add_argument("--compare", type=Path, metavar="DIR", help="an older checkout")
    parser.add_argument("--places", metavar="WORD", help="list the places of counts with WORD")
    arguments = parser.parse_args(argv)
    roots = {"before": arguments.compare, "now": arguments.root}
    found = {name: measure(root) for name, root in roots.items() if root}
    out = make_console(width=110)
    out.print(make_table(
        "folders (without subfolders)",
        ["folder", *(f"{what} {name}" for name in found for what in ("files", "lines"))],
        (
            [folder, *(n for one in found.values() for n in one["folders"].get(folder, ("", "")))]
            for folder in sorted({folder for one in found.values() for folder in one["folders"]})
        ),
        left=("folder",),
    ))  # fmt: skip
    summaries = [totals(one) for one in found.values()]
    out.print(make_table(
        "hwgen/ and sim/",
        ["", *found],
        ([title, *(summary[title] for summary in summaries)] for title in summaries[-1]),
        left=("",),
    ))  # fmt: skip
    for name, one in found.items():
        out.print(f"{name}: {one['largest_folder']} is the largest folder", highlight=False)
    for name, count in found["now"]["long_files"].items():
        out.print(f"over {LONG} lines now: {name} ({count})", highlight=False)
    for title, places in found["now"]["places"].items():
        if arguments.places and arguments.places in title:
            out.print(f"{title}:", *places, sep="\n  ", highlight=False)
    write_json(arguments.json, found)


if __name__ == "__main__":
    main()
