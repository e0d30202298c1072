"""Tables of the benchmarks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from rich.table import Table


def make_table(
    title: str,
    columns: Iterable[str],
    rows: Iterable[Iterable[Any]] = (),
    *,
    left: Collection[str] = (),
) -> Table:
    """Table with right-aligned columns, except those named in ``left``."""
    table = Table(title=title)
    for column in columns:
        table.add_column(column, justify="left" if column in left else "right")
    for row in rows:
        table.add_row(*map(text, row))
    return table


def text(value: Any) -> str:
    """A cell: numbers with thousands separators, floats with two decimals, None empty."""
    match value:
        case None:
            return ""
        case dict():
            return " ".join(map(str, value.values()))
        case float():
            return f"{value:,.2f}"
        case bool() | str():
            return str(value)
        case int():
            return f"{value:,}"
        case _:
            return str(value)
