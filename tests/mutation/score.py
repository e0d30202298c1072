"""Score of a run, its table by folder, and the reasons why it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.mutation.run import Judgement, Verdict


def score(judgements: Sequence[Judgement]) -> float | None:
    """Share of the mutations that were killed, in per cent; survivors with a reason count too."""
    killed = sum(item.verdict is Verdict.KILLED for item in judgements)
    both = killed + sum(item.verdict is Verdict.SURVIVED for item in judgements)
    return 100 * killed / both if both else None


def complaints(judgements: Sequence[Judgement], *, minimum: float) -> list[str]:
    """What has to be mended before the run passes."""
    found = [
        f"{item.verdict}: {item.mutation.name}: {item.detail}"
        for item in judgements
        if item.verdict in (Verdict.STALE, Verdict.BROKEN)
        or (item.verdict is Verdict.SURVIVED and not item.mutation.equivalent)
    ]
    reached = score(judgements)
    if reached is None or reached < minimum:
        value = "none" if reached is None else f"{reached:.1f} %"
        found.append(f"the score must be at least {minimum:g} %, but is {value}")
    return found


def line(judgement: Judgement) -> str:
    """A judgement in one line."""
    times = f"{judgement.seconds:6.1f} s of {judgement.usual_s:5.1f} s"
    return f"{judgement.verdict:8}  {times}  {judgement.mutation.name}  [{judgement.detail}]"


def table(judgements: Sequence[Judgement]) -> str:
    """Numbers of each folder, in Markdown, with the total and the survivors."""
    groups: dict[str, list[Judgement]] = {}
    for item in judgements:
        groups.setdefault(item.mutation.group, []).append(item)
    rows = ["| folder | mutations | killed | survived | score |", "|---|---|---|---|---|"]
    for name, items in [*sorted(groups.items()), ("all", list(judgements))]:
        counts = [sum(item.verdict is kind for item in items) for kind in Verdict]
        value = score(items)
        shown = "–" if value is None else f"{value:.1f} %"
        rows.append(f"| `{name}` | {len(items)} | {counts[0]} | {counts[1]} | {shown} |")
    for item in judgements:
        if item.verdict is Verdict.SURVIVED:
            rows.append(f"survived: {item.mutation.name}: {item.detail}")
        elif item.verdict is Verdict.KILLED and item.detail.startswith("hang"):
            rows.append(f"killed by time: {item.mutation.name}: {item.detail}")
    return "\n".join(rows)


def as_json(judgements: Sequence[Judgement]) -> dict[str, Any]:
    """The whole run as plain values."""
    return {
        "score": score(judgements),
        "mutations": [
            {
                "name": item.mutation.name,
                "file": item.mutation.file,
                "tests": item.mutation.tests,
                "verdict": item.verdict.value,
                "detail": item.detail,
                "usual_seconds": round(item.usual_s, 2),
                "seconds": round(item.seconds, 2),
            }
            for item in judgements
        ],
    }
