"""``striate find-rate``: find the learning rate at which the loss falls fastest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.configuration import with_settings
from striate.cli.options import DataArgument, Json

TRAINING = ("model", "model_option", "optimizer", "batch_size", "loss", "seed", "threads")
READING = ("data_dir", "size", "channels", "fit", "shape", "label", "group")


@with_settings(*TRAINING, *READING)
def find_rate(
    dataset: DataArgument,
    *,
    lowest: Annotated[float, typer.Option(metavar="X", help="First learning rate.")] = 1e-6,
    highest: Annotated[float, typer.Option(metavar="X", help="Last learning rate.")] = 10.0,
    steps: Annotated[int, typer.Option(metavar="N", help="Number of learning rates to try.")] = 100,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Plot the loss against the rate.")] = None,
    json: Json = False,
    **settings: Any,
) -> None:
    """Try increasing learning rates, one step each, and suggest one.

    striate find-rate digits --model lenet5 --plot rates.png
    """
    from striate.cli.configuration import run_config
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.training.learning_rate_finder import find_learning_rate
    from striate.training.run.build import load_splits, make_trainer, network_or_model
    from striate.training.run.resolve import resolve
    from striate.training.run.start import starting_model

    output = Output(json)
    config = run_config({"dataset": dataset, **settings})
    start = starting_model(config.model)
    data = load_splits(config, start).train
    config = resolve(config, data, start)
    trainer = make_trainer(config, network_or_model(config, data, start))
    found = find_learning_rate(trainer, data, lowest, highest, steps)
    output.line(f"tried {len(found.rates)} learning rates from {found.rates[0]:.3g} to {found.rates[-1]:.3g}")
    output.line(f"suggested learning rate: {found.suggestion:.3g} (use it with --learning-rate)")
    if plot is not None:
        output.line(f"plot: {write_figure(found.plot(), plot)}")
    losses = [float(loss) for loss in found.losses]
    output.result({"suggestion": float(found.suggestion), "rates": found.rates.tolist(), "losses": losses})
