"""``striate train`` and ``striate resume``: train a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.configuration import with_settings
from striate.cli.options import DATA_HELP, Json, Report
from striate.cli.ranks import Ranks, share_or_start


@with_settings()
def train(
    dataset: Annotated[str | None, typer.Argument(metavar="DATASET", help=DATA_HELP)] = None,
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Read settings from a TOML file; options override it.", rich_help_panel="Run"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the run. (default: a new one in runs/)", rich_help_panel="Run"),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(metavar="N", help="Cross-validate: train N times, each time testing on another fold."),
    ] = None,
    ranks: Ranks = None,
    report: Report = True,
    json: Json = False,
    **settings: Any,
) -> None:
    """Train a network on a data set, test it and save it.

    striate train digits

    striate train mnist --model digit_recogniser --epochs 20 --out runs/mine

    striate train photographs/ --size 64x64

    striate train photographs/ --folds 5

    striate train photographs/ --ranks 2 --threads 4

    Anything you leave out is chosen from the data: the network, the number of epochs, the augmentation.
    """
    from striate.cli.configuration import model_label, run_config
    from striate.cli.folders import run_folder
    from striate.cli.output import Output
    from striate.cli.running import Runner

    share_or_start(ranks, folds)
    run = run_config({"dataset": dataset, **settings}, config)
    with run_folder(out, run.data.name, model_label(run)) as folder:
        runner = Runner(Output(json), report)
        if folds is None:
            runner.train(run, folder)
        else:
            runner.cross_validate(run, folder, folds)


def resume(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of a run.")],
    epochs: Annotated[int | None, typer.Option(metavar="N", help="Train longer, for N epochs in total.")] = None,
    ranks: Ranks = None,
    report: Report = True,
    json: Json = False,
) -> None:
    """Continue a run or cross-validation that was stopped; the result is the same as without the interruption.

    striate resume runs/digits-lenet5

    striate resume runs/digits-lenet5 --epochs 80
    """
    from striate.cli.output import Output
    from striate.cli.running import Runner

    share_or_start(ranks)
    Runner(Output(json), report).resume(folder, epochs)
