"""``striate search``: find settings that suit a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.configuration import with_settings
from striate.cli.options import DATA_HELP, Json

if TYPE_CHECKING:
    from striate.search import Search

SEARCH = "Search"


@with_settings()
def search(
    dataset: Annotated[str | None, typer.Argument(metavar="DATASET", help=DATA_HELP)] = None,
    *,
    trials: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of trials.", rich_help_panel=SEARCH, show_default=True)
    ] = 30,
    hours: Annotated[
        float | None, typer.Option(metavar="X", help="Start no new trials after X hours.", rich_help_panel=SEARCH)
    ] = None,
    range_: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="NAME=RANGE",
            help="Vary this setting or option of the network: LOW:HIGH, LOW:HIGH:log or A,B,C; can be repeated. "
            "(default: what suits the data)",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    max_parameters: Annotated[
        int | None,
        typer.Option(metavar="N", help="Skip networks with more than N parameters.", rich_help_panel=SEARCH),
    ] = None,
    max_milliseconds: Annotated[
        float | None,
        typer.Option(
            metavar="X", help="Skip networks that take more than X ms per sample.", rich_help_panel=SEARCH
        ),
    ] = None,
    best: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="Train the best N settings again with different seeds.", rich_help_panel=SEARCH
        ),
    ] = 3,
    seeds: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of seeds for each of them.", rich_help_panel=SEARCH)
    ] = 3,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="TOML file with the settings that all trials share.", rich_help_panel="Run"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the search. (default: runs/search-DATASET)", rich_help_panel="Run"
        ),
    ] = None,
    json: Json = False,
    **settings: Any,
) -> None:
    """Search for the network and settings that suit a data set.

    striate search photographs/ --trials 50 --hours 2

    striate search digits --range learning_rate=1e-4:1e-1:log --range batch_size=16,32,64

    Run the same command in several processes, or on several machines with a shared folder, to share the work, and
    again after an interruption to continue. Needs Optuna: pip install 'striate[search]'.
    """
    from striate.cli.configuration import run_config
    from striate.cli.ending import fail
    from striate.cli.folders import RUNS
    from striate.cli.output import Output
    from striate.search import Search, SearchSettings, parse_range

    output = Output(json)
    run = run_config({"dataset": dataset, **settings}, config)
    folder = out or RUNS / f"search-{Path(run.data.name).stem}"
    asked = SearchSettings(
        trials=trials,
        hours=hours,
        ranges=tuple(map(parse_range, range_ or [])),
        max_parameters=max_parameters,
        max_milliseconds=max_milliseconds,
        best=best,
        seeds=seeds,
    )
    found = Search(folder, run, asked, say=output.line)
    output.line(f"{folder}: varying {', '.join(known.name for known in found.ranges)}")
    try:
        ended = found.run()
    except KeyboardInterrupt:
        fail(f"interrupted; every trial is saved in {folder}. Run the same command to continue.")
    _finish(found, output, ended)


def _finish(found: Search, output: Any, ended: bool) -> None:
    """Print what was found; write the report, unless another process still works on the search."""
    from striate.cli.ending import fail
    from striate.search.page import Findings, write_search_report
    from striate.wording import percent

    if not found.study.completed():
        fail(f"{found.folder}: no trial has finished{_reasons(found)}.")
    findings = Findings(found)
    best, small = findings.ranked[0], findings.smallest
    shown = percent(best.value) if found.maximise else f"{best.value:.4g}"
    output.line(
        f"\nbest: trial {best.number}, {findings.metric} {shown}, {best.user_attrs['parameters']:,} parameters"
    )
    if small is not None and small.number != best.number:
        size = f"{small.user_attrs['parameters']:,} parameters"
        output.line(f"smallest within half a point: trial {small.number}, {percent(small.value)}, {size}")
    page = write_search_report(findings) if ended else None
    if page is None:
        findings.save(best)
    output.line(f"repeat it: {findings.command()}")
    output.line(f"report: {page}" if page else "other processes are still training; the last one writes the report")
    output.result(
        {
            "folder": str(found.folder),
            "best": _facts(best),
            "smallest": None if small is None else _facts(small),
            "test": findings.test(best),
            "trials": len(found.study.trials()),
            "command": findings.command(),
            "report": None if page is None else str(page),
            "ended": ended,
        }
    )


def _reasons(found: Search) -> str:
    """Return why trials have not finished."""
    attributes = [trial.user_attrs for trial in found.study.trials() if trial.state.is_finished()]
    misfits = [each["misfit"] for each in attributes if "misfit" in each]
    diverged = sum("diverged" in each for each in attributes)
    reasons = [f"{diverged} diverged"] * bool(diverged)
    if misfits:
        reasons.append(f"{len(misfits)} did not fit (the last: {misfits[-1].rstrip('.')})")
    if not reasons:
        return " yet; other processes are still training"
    return f": {', '.join(reasons)}. Use other ranges or higher limits"


def _facts(trial: Any) -> dict[str, Any]:
    return {"trial": trial.number, "value": trial.value, "settings": trial.params, **trial.user_attrs}
