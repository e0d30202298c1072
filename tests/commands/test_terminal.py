"""Output to every kind of terminal and file: encodings, full disks, closed streams, signals."""

from __future__ import annotations

import codecs
import io
import json
import os
import signal
import subprocess
import sys

import pytest

from hwgen.cli import run
from hwgen.commands import terminal
from hwgen.conversion.methods.registry import METHODS


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", r"theta <= 5 us ... Sigma -> \udcff \xe9 \U0001f600"),
        ("latin-1", "theta <= 5 µs ... Sigma -> \\udcff é \\U0001f600"),
        ("utf-8", "θ ≤ 5 µs … Σ → \\udcff é 😀"),
    ],
)
def test_signs_that_an_encoding_lacks(encoding: str, shown: str) -> None:
    """Also half a sign, as Python reads it from a file name that is not UTF-8."""
    codecs.register_error(terminal.ERRORS, terminal.plain)
    text = "θ ≤ 5 µs … Σ → \udcff é 😀"
    assert text.encode(encoding, terminal.ERRORS).decode(encoding) == shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_the_program_prints_in_any_encoding(encoding: str) -> None:
    """Tables and equations on standard output, an error on standard error."""
    env = os.environ | {"PYTHONIOENCODING": encoding}
    code = (
        "from hwgen import cli; from hwgen.commands.terminal import use_any_encoding\n"
        "use_any_encoding()\n"
        "print([cli.run(words) for words in (['methods'], ['methods', 'spikeconverter'],"
        " ['methods', 'θ–'])])"
    )
    result = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True)
    out, err = result.stdout.decode(encoding), result.stderr.decode(encoding)
    assert out.endswith("[0, 0, 2]\n")
    assert "conversion methods" in out
    assert "\neta is ECC" in out
    assert "'theta-'" in err
    assert "Traceback" not in err


def test_json_keeps_every_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """In escapes of JSON, where the encoding lacks some."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert run(["methods", "--json"]) == 0
    figures = json.loads(raw.getvalue().decode("ascii"))
    equations = {name: method["equations"] for name, method in figures.items()}
    assert equations == {name: method.equations.strip() for name, method in METHODS.items()}
    assert not "".join(equations.values()).isascii()


@pytest.mark.parametrize("arguments", [["methods"], ["methods", "--json"], ["--version"]])
def test_a_full_disk_behind_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(arguments) == 3
        monkeypatch.undo()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("hwgen: error: standard output: cannot be written: ")
    assert "No space left" in line


def test_a_pipe_that_nothing_reads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert run(["methods"]) == 3
        monkeypatch.undo()
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_is_closed(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    monkeypatch.setattr(sys, stream, None)
    assert run(["methods"]) == 0
    assert run(["methods", "none"]) == 2


def test_progress_on_a_full_disk_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stderr", full)
        terminal.note("half way")
        assert run(["methods", "--json"]) == 0
        monkeypatch.undo()
    json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_program_with_a_line(name: str) -> None:
    code = (
        "import signal; from hwgen import cli\n"
        "def run():\n"
        "    try: print('ready', flush=True); signal.pause()\n"
        "    finally: print('cleaned up', flush=True)\n"
        f"signal.signal(signal.{name}, signal.SIG_DFL)\n"  # nohup, around the tests, ignores one
        "cli.run = run; cli.main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.Signals[name])
        out, err = process.communicate()
    assert (out, err) == ("cleaned up\n", f"hwgen: error: stopped by {name}\n")
    assert process.returncode == 128 + signal.Signals[name]


def test_an_error_of_the_operating_system_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An OSError without a number is raised by a program, and may be a bug."""

    def failing(*_: object) -> None:
        raise OSError(30, "Read-only file system", "net")

    monkeypatch.setattr("hwgen.commands.methods.print_table", failing)
    assert run(["methods"]) == 3
    message = "hwgen: error: [Errno 30] Read-only file system: 'net'\n"
    assert capsys.readouterr().err == message

    def broken(*_: object) -> None:
        raise FileNotFoundError("boards is missing from the installation")

    monkeypatch.setattr("hwgen.commands.methods.print_table", broken)
    with pytest.raises(FileNotFoundError):
        run(["methods"])
