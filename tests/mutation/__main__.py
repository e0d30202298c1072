"""Command line of the mutation run: ``python -m tests.mutation``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click

from tests.mutation import score
from tests.mutation.entries import load
from tests.mutation.run import Trial

ROOT = Path(__file__).parents[2]


@click.command(help="Break the source in many places and see whether the tests notice.")
@click.option("--only", multiple=True, metavar="NAME|FILE|GLOB", help="Run these; repeatable.")
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--list", "as_list", is_flag=True, help="Print the mutations and run nothing.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the results here.")
@click.option("--minimum", type=float, default=95.0, show_default=True, help="Score in per cent.")
def main(
    only: tuple[str, ...], jobs: int, as_list: bool, file: Path | None, minimum: float
) -> None:
    """Run the mutations of the list; the exit code is 1 if a complaint is left."""
    chosen = load()
    for pattern in only:
        if not any(mutation.matches(pattern) for mutation in chosen):
            raise click.UsageError(f"no mutation has the name or file {pattern!r}; see --list")
    if only:
        chosen = [m for m in chosen if any(m.matches(pattern) for pattern in only)]
    if as_list:
        for mutation in chosen:
            click.echo(f"{mutation.name}\n    {mutation.file}: {mutation.tests}")
        return
    started = time.monotonic()
    judgements = Trial(ROOT, jobs=jobs).run(chosen, lambda item: click.echo(score.line(item)))
    click.echo(f"\n{score.table(judgements)}")
    click.echo(f"{time.monotonic() - started:.0f} s with {jobs} jobs")
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(score.as_json(judgements), indent=1, ensure_ascii=False)
        file.write_text(f"{text}\n", encoding="utf-8")
    found = score.complaints(judgements, minimum=minimum)
    for complaint in found:
        click.echo(f"hwgen: mutation: {complaint}", err=True)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
