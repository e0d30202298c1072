"""Tables of the benchmarks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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


def records_table(title: str, records: Sequence[Mapping[str, Any]]) -> Table:
    """Table of records with the same keys, one per row."""
    columns = [key.replace("_", " ") for key in records[0]]
    return make_table(title, columns, (record.values() for record in records))


def transposed_table(title: str, records: Sequence[Mapping[str, Any]]) -> Table:
    """Table of records, one per column, for more figures than fit side by side."""
    keys = dict.fromkeys(key for record in records for key in record)
    table = Table(title=title, show_header=False)
    table.add_column()
    for _ in records:
        table.add_column(justify="right")
    for key in keys:
        table.add_row(key.replace("_", " "), *(text(record.get(key)) for record in records))
    return table


def text(value: Any) -> str:
    """Cell: numbers with thousands separators, floats with two decimals, None empty."""
    match value:
        case None:
            return ""
        case Mapping():
            return " ".join(map(str, value.values()))
        case float():
            return f"{value:,.2f}"
        case bool():
            return str(value)
        case int():
            return f"{value:,}"
        case _:
            return str(value)
