"""``striate runs``: list the runs of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.options import Json

if TYPE_CHECKING:
    from striate.training.run.record import RunRecord

HEADS = ("run", "data", "model", "parameters", "accuracy", "loss", "epochs", "time", "seed", "state")


def runs(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="FOLDER...", help="Folders to search. (default: runs)")
    ] = None,
    sort: Annotated[
        str, typer.Option(metavar="NAME", help="Sort by a column, or by a setting such as training.batch_size.")
    ] = "started",
    reverse: Annotated[bool, typer.Option("--reverse", help="Reverse the order.")] = False,
    filter_: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="CONDITION",
            help="List only runs such as model=lenet5, 'accuracy>0.98' or training.seed=0; can be repeated.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List training runs, the latest first.

    striate runs

    striate runs --sort accuracy --filter data=digits --filter 'parameters<100000'

    Accuracy and loss are those of the test split, or of the validation split if there is no test split.
    """
    from striate.cli.folders import RUNS
    from striate.cli.output import Output, listing
    from striate.training.run.record import find_runs
    from striate.training.run.selection import ordered, select

    output = Output(json)
    records = find_runs(folders or [RUNS])
    for condition in filter_ or []:
        records = select(records, condition)
    records = ordered(records, "seconds" if sort == "time" else sort, reverse)
    extra = [] if sort in (*HEADS, "started") or "." not in sort else [sort]
    if records:
        for line in listing((*HEADS, *extra), [[*_row(record), *_settings(record, extra)] for record in records]):
            output.line(line)
    else:
        output.line("no runs found")
    output.result({"runs": [{**record.as_dict(), "settings": dict(record.settings)} for record in records]})


def _row(record: RunRecord) -> list[str]:
    from striate.wording import duration, percent

    cells: list[Any] = [
        record.folder,
        record.data,
        record.model,
        None if record.parameters is None else f"{record.parameters:,}",
        None if record.accuracy is None else percent(record.accuracy),
        None if record.loss is None else f"{record.loss:.4f}",
        record.epochs,
        duration(record.seconds),
        record.seed,
        record.state,
    ]
    return ["" if cell is None else str(cell) for cell in cells]


def _settings(record: RunRecord, names: list[str]) -> list[str]:
    return [str(record.settings.get(name, "")) for name in names]
