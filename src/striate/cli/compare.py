"""``striate compare``: several runs on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.options import Json

MOST_PAIRS = 10
"""With more pairs of runs, only those of the best run are printed."""


def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders of two or more runs.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="HTML page to write.")] = Path("comparison.html"),
    split: Annotated[
        str | None,
        typer.Option(metavar="SPLIT", help="Split to test on: test or validation. (default: test)"),
    ] = None,
    json: Json = False,
) -> None:
    """Compare runs: settings, learning curves, metrics, and where they disagree.

    striate compare runs/digits-lenet5 runs/digits-mlp

    Each model is tested again, and metrics have confidence intervals. Runs that were tested on the same samples are
    compared with McNemar's test, or with the bootstrap if they predict numbers.
    """
    from striate.checks import choice
    from striate.cli.output import Output, listing
    from striate.report.comparison import facts, load_entries, metrics, pairs, write_comparison
    from striate.report.comparison.entries import SPLITS
    from striate.report.comparison.results import differing_settings, of_the_best
    from striate.report.comparison.sections import NO_TEST, bounds, shown

    output = Output(json)
    if split is not None:
        choice(split, "--split", SPLITS)
    entries = load_entries(folders, split)
    names = [entry.name for entry in entries]
    settings = [[name, *map(shown, values)] for name, values in differing_settings(entries).items()]
    for line in listing(["setting", *names], settings) if settings else ["all settings are the same"]:
        output.line(line)
    output.line()
    found = [metrics(entry.evaluation) for entry in entries if entry.evaluation is not None]
    kinds = [kind for kind in found[0] if all(kind in other for other in found)]
    rows = [[name, *(bounds(row[kind], kind) for kind in kinds)] for name, row in zip(names, found, strict=True)]
    for line in listing(["run", *kinds], rows):
        output.line(line)
    output.line()
    compared = pairs(entries)
    shown_pairs = of_the_best(compared) if len(compared) > MOST_PAIRS else compared
    for line in [pair.verdict for pair in shown_pairs] or [NO_TEST]:
        output.line(line)
    if len(shown_pairs) < len(compared):
        output.line(f"the page compares all {len(compared)} pairs of runs")
    output.line(f"page: {write_comparison(entries, out)}")
    output.result({**facts(entries), "page": str(out)})
