"""Output of the commands: results on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hwgen.commands.terminal import can_show, is_terminal, note, say

if TYPE_CHECKING:
    from rich.console import Console

_SECONDS_BETWEEN_LINES = 5.0


def print_json(data: Any) -> None:
    """Print one JSON document on standard output."""
    text = json.dumps(data, indent=1, ensure_ascii=False)
    say(text if can_show(text) else json.dumps(data, indent=1))


def console() -> Console:
    """Console on standard output, 100 columns wide unless it is a terminal."""
    from rich.console import Console

    return Console(width=None if is_terminal(sys.stdout) else 100, highlight=False)


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, footer: str = ""
) -> None:
    """Print a table on standard output; all columns but the first are aligned to the right."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=any(columns))
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(show(cell)) for cell in row))
    output = console()
    with output.capture() as printed:
        output.print(f"[bold]{escape(title)}[/]")
        output.print(table)
        if footer:
            output.print(escape(footer))
    say(printed.get().rstrip("\n"))


def show(value: object) -> str:
    """A value for people: thousands separated, floats short, None as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


class Progress:
    """Progress as a spinner on a terminal, otherwise as a line every few seconds."""

    def __init__(self, status: Any) -> None:
        self._status = status
        self._last_line = float("-inf")
        self._phase = ""

    def __call__(self, text: str) -> None:
        """Show ``text``; a new phase, the part before the colon, is always printed."""
        if self._status is not None:
            self._status.update(text)
            return
        phase, now = text.split(":")[0], time.monotonic()
        if phase != self._phase or now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._phase, self._last_line = phase, now
            note(f"  {text}")


@contextmanager
def progress(text: str) -> Iterator[Progress]:
    """Show ``text`` while the block runs, and each text that the yielded function gets."""
    if not is_terminal(sys.stderr):
        note(f"{text} …")
        yield Progress(None)
        return
    from rich.console import Console

    console = Console(stderr=True)
    spinner = "line" if console.options.ascii_only else "dots"
    with console.status(text, spinner=spinner) as status:
        yield Progress(status)
    note(f"{text}: done")
