"""One command under one condition in a copy of a place, and what it left there."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import hostile_child, hostile_place
from benchmarks.hostile_place import COMMANDS, MOUNTS, PLAIN, Command
from hwgen import cli

Row = dict[str, Any]


class Matrix:
    """Runs the cases, each in a copy of one place."""

    def __init__(self, folder: Path, *, simulated: bool) -> None:
        self._pristine = folder / "pristine"
        self._pristine.mkdir()
        hostile_place.fill(self._pristine)
        if simulated:  # once, and not in every child: the imports, and the simulator
            importlib.import_module("torch")
            cli.run(["simulate", str(self._pristine / "build"), "--samples", "2",
                     "--data", str(self._pristine / "data.npz"), "--json"])  # fmt: skip
        self._folder = folder
        self.rows: list[Row] = []

    @contextmanager
    def place(self) -> Iterator[Path]:
        """A copy of the place."""
        with tempfile.TemporaryDirectory(dir=self._folder) as temporary:
            place = Path(temporary) / "place"
            shutil.copytree(self._pristine, place)
            yield place

    def add(self, command: Command, condition: str, codes: Counter[int], found: list[str]) -> None:
        self.rows.append(
            {
                "command": command.name,
                "condition": condition,
                "codes": {str(code): count for code, count in sorted(codes.items())},
                "faults": found,
            }
        )

    def in_environment(self, command: Command, condition: str) -> None:
        """A process with an encoding, a home folder or a path of this condition."""
        with self.place() as place:
            words, expected = command.words, {0}
            environment = (
                os.environ | hostile_place.variables(place, command) | PLAIN.get(condition, {})
            )
            if condition == "long path" and command.long_words != words:
                words, expected = command.long_words, {2, 3}
            result = subprocess.run(
                [sys.executable, "-m", "hwgen", *words], cwd=place, env=environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            self._judge(command, condition, place, result, expected)

    def on_mount(self, command: Command, condition: str) -> None:
        """A process in a mount namespace of its own; without the right to make one, no row."""
        with self.place() as place:
            environment = os.environ | hostile_place.variables(place, command)
            failing = command.writes and condition.endswith("disk")
            if condition == "full disk":
                shutil.copytree(place, place.with_name(f"{place.name}-full"))
            if condition == "read-only HOME":
                (place / "home").mkdir()
                environment |= {"HOME": str(place / "home")}
            environment.pop("XDG_CACHE_HOME", None)
            script = f'{MOUNTS[condition]} || exit 77; cd "$1"; shift; exec "$@"'
            result = subprocess.run(
                ["unshare", *([] if os.getuid() == 0 else ["-Ur"]), "-m", "sh", "-c", script, "sh",
                 place, sys.executable, "-m", "hwgen", *command.words],
                env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
            if result.returncode == 77:
                print(f"{condition}: cannot be mounted here", file=sys.stderr)
                return
            self._judge(command, condition, place, result, {3} if failing else {0})

    def _judge(
        self, command: Command, condition: str, place: Path,
        result: subprocess.CompletedProcess[bytes], expected: set[int],
    ) -> None:  # fmt: skip
        output = result.stdout.decode("utf-8", errors="replace")
        found = list(hostile_place.faults(place, command, output, done=True))
        if result.returncode not in expected:
            found.append(f"exit code {result.returncode}: {output.strip()[-300:]}")
        self.add(command, condition, Counter([result.returncode]), found)

    def killed(self, command: Command, points: int) -> None:
        """Kills at operations spread evenly over a run; after each, the command runs again."""
        codes: Counter[int] = Counter()
        found: list[str] = []
        with self.place() as place:
            whole = hostile_child.start(
                command.words, place, hostile_place.variables(place, command)
            )
            if (code := whole.wait()) != 0:
                found.append(f"exit code {code}: {whole.output.strip()[-300:]}")
            total = whole.operations if code == 0 else 0
        for at in sorted({1 + point * total // points for point in range(points)} if total else ()):
            with self.place() as place:
                environment = hostile_place.variables(place, command)
                child = hostile_child.start(command.words, place, environment, at=at)
                codes[child.wait()] += 1
                here = list(hostile_place.faults(place, command, child.output, done=False))
                again = hostile_child.start(command.words, place, environment)
                if (code := again.wait()) != 0:
                    here.append(f"then exit code {code}: {again.output.strip()[-300:]}")
                here += hostile_place.faults(place, command, again.output, done=True)
                found += [f"at operation {at} of {total}: {text}" for text in here]
        self.add(command, "killed", codes, found)

    def two_at_once(self, command: Command) -> None:
        """A second process while the first has stopped in the middle of its work."""
        found: list[str] = []
        with self.place() as place:
            environment = hostile_place.variables(place, command)
            whole = hostile_child.start(command.words, place, environment)
            whole.wait()
            middle = max(1, whole.operations * 2 // 3)
            first = hostile_child.start(
                command.words, place, environment, at=middle, number=signal.SIGSTOP
            )
            stopped = first.wait_until_it_stops()
            second = hostile_child.start(command.words, place, environment)
            if not command.claims and stopped:  # it may wait for the first one
                os.kill(first.number, signal.SIGCONT)
            code = second.wait()
            if stopped and command.claims:
                os.kill(first.number, signal.SIGCONT)
                if code != 3 or f"in use by process {first.number} (" not in second.output:
                    found.append(f"second: exit code {code}: {second.output.strip()[-300:]}")
            elif code != 0:
                found.append(f"second: exit code {code}: {second.output.strip()[-300:]}")
            if stopped and (ended := first.wait()) != 0:
                found.append(f"first: exit code {ended}: {first.output.strip()[-300:]}")
            output = first.output + second.output
            both = hostile_place.faults(place, command, second.output, done=True)
            found += [*both] + (["traceback"] if "Traceback" in output else [])
            self.add(command, "two at once", Counter([0, code]), found)

    def tools_killed(self, number: signal.Signals) -> None:
        """A signal to `build` while its yosys runs, which has started a program of its own."""
        command = COMMANDS["build"]
        with self.place() as place:
            environment = os.environ | hostile_place.variables(place, command, stuck=True)
            with subprocess.Popen(
                [sys.executable, "-m", "hwgen", *command.words], cwd=place, env=environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            ) as process:  # fmt: skip
                assert process.stderr is not None
                output = ""
                for line in process.stderr:
                    output += line
                    if "synthesis: " in line:
                        process.send_signal(number)
            while process.returncode == -signal.SIGKILL and any(hostile_place.running_in(place)):
                pass  # the kernel and the supervisor need a moment; an orphan would hang here
            done = process.returncode >= 0
            found = list(hostile_place.faults(place, command, output, done=done))
            text = (place / "build/synth/bitstream.bit").read_text("utf-8")
            found += [] if text == hostile_place.EARLIER else ["the earlier bitstream is lost"]
            self.add(command, number.name, Counter([process.returncode]), found)
