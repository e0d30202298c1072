"""Which Verilog of a build folder is compiled: ``docs/decisions/0012-folders-of-others.md``.

Simulators and yosys run what Verilog tells them: system tasks write files, directives read files
and hold C++, imported functions are C. The rules leave out all of this, and everything that two
tools may split differently into comments, strings, names and code.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from hwgen.artefact.plain_files import read_plain
from hwgen.errors import ArtefactError

SYSTEM_NAMES = frozenset({"signed", "unsigned", "clog2", "readmemh", "readmemb", "finish"})
"""System tasks and functions that a core may use; the files of ``$readmem`` are checked too."""

KEYWORDS = (
    "bind", "checker", "class", "config", "defparam", "export", "extern", "import", "include",
    "library", "package", "program", "pure",
)  # fmt: skip
"""Keywords that no core needs: foreign functions, and parameters set from afar."""

MEMORY_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.hex")
"""Name of a file that a core may read: one of the build folder, and of nothing else."""

_SAFE = re.compile(
    r"""(?:
      [^\x00-\x08\x0b-\x1f\x7f-\U0010ffff/"\\`$]++          # code
    | /(?![/*])                                             # a division
    | //(?!(?i:[^\n]*verilator))[^\x00-\x08\x0b-\x1f\x7f-\U0010ffff"\\`$/*\n]*+(?=\n|\Z)
    | "[A-Za-z0-9_.-]*+"
    | \\(?!FILE\s)[!$-.0-\[\]^_a-~]++(?=\s)                 # an escaped name
    | \$(?:SYSTEM)(?![\w$])
    )*+""".replace("SYSTEM", "|".join(sorted(SYSTEM_NAMES))),
    re.VERBOSE | re.ASCII,
)
"""All of a text in which comments, strings, names and code are what every tool takes them for."""

ATTRIBUTES = ("full_case", "init", "keep", "no_rw_check", "parallel_case", "ram_style", "rom_style")
"""Attributes that a core may have."""

_ATTRIBUTE = re.compile(
    rf"\(\*(?!\s*\)|\s*(?:{'|'.join(ATTRIBUTES)})(?:\s*=\s*[\w']+|\s*=\s*\"[^\"]*\")?\s*\*\))"
)
_TOKEN = re.compile(r"""//[^\n]*|/\*|"[^"\n]*"?|[\\`$]?\S*""")
_ESCAPED_CALL = re.compile(r"(\\\$\S+)\s+\(")  # to Icarus, a call of the system
_DELAY_OR_POSITION = re.compile(r"#(?!\s*\(\s*(?:\.|parameter\b))")
_FILE = re.compile(r"(?<![\w$])FILE(?![\w$])")
_FILE_USE = re.compile(
    r"""\.FILE\s*\(\s*"(?P<given>[^"]*)"\s*\)|\bparameter\s+FILE\s*=\s*"(?P<default>[^"]*)"|"""
    r"""(?<![\w$])FILE\s*!=\s*""|\$readmem[hb]\s*\(\s*FILE\s*,"""
)
_READ = re.compile(r"\$readmem")
_READ_USE = re.compile(r"""\$readmem[hb]\s*\(\s*(?:"(?P<given>[^"]*)"|FILE)\s*,""")

_FOUND_SAFE: set[tuple[str, frozenset[str]]] = set()
"""Texts that were found safe, by their hash, with the files that they may read."""


def problem(text: str, *, files: Collection[str]) -> str | None:
    """The first rule that the Verilog ``text`` breaks, with its line; None if it breaks none.

    ``files`` are the names that ``$readmemh`` may open.
    """
    safe = _SAFE.match(text)
    end = safe.end() if safe else 0
    if end < len(text):
        token = _TOKEN.match(text, end)
        return _at(text, end, ascii((token[0] if token else "")[:40] or text[end]))
    code = re.sub(r"//[^\n]*", " ", text)
    if call := _ESCAPED_CALL.search(code):
        return _at(code, call.start(), f"a call of {call[1]!r}")
    if attribute := _ATTRIBUTE.search(code):
        return _at(code, attribute.start(), "an attribute that no core needs")
    words = re.sub(r'\\\S+|"[^"]*"', " ", code)
    for keyword in KEYWORDS:
        if keyword in words and (used := re.search(rf"(?<![\w$]){keyword}(?![\w$])", words)):
            return _at(words, used.start(), f"the keyword {keyword!r}")
    if unnamed := _DELAY_OR_POSITION.search(words):
        return _at(words, unnamed.start(), "a delay or a parameter without its name")
    return _memories(code, words, files)


def _memories(code: str, words: str, files: Collection[str]) -> str | None:
    """Files are named by strings alone: a number or an expression may spell any path."""
    uses, reads = list(_FILE_USE.finditer(code)), list(_READ_USE.finditer(code))
    if len(uses) != len(_FILE.findall(words)) or len(reads) != len(_READ.findall(words)):
        return "holds the name of a memory file that is not a plain string"
    for use in (*uses, *reads):
        named = use.groupdict()
        name = named.get("given") or named.get("default")
        if name and not (MEMORY_FILE.fullmatch(name) and name in files):
            return _at(code, use.start(), f"the file {name!a}, which is not of its folder")
    return None


def _at(text: str, position: int, what: str) -> str:
    return f"holds {what} in line {text.count(chr(10), 0, position) + 1}"


def require_safe(file: Path, digest: str, memory_files: frozenset[str]) -> None:
    """Raise :class:`.ArtefactError` unless the Verilog ``file`` with this hash keeps to the rules.

    ``memory_files`` are those that it may read.
    """
    if (digest, memory_files) in _FOUND_SAFE:
        return
    text = read_plain(file).decode("latin-1")  # whose characters above ASCII are refused
    if found := problem(text, files=memory_files):
        raise ArtefactError(
            f"{file}: {found}, which hwgen neither writes nor runs; generate it again with "
            f"`hwgen generate {file.parent / 'network'}`"
        )
    _FOUND_SAFE.add((digest, memory_files))
