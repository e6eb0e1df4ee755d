"""``striate find-rate``: at which learning rate does the loss fall fastest?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli import options as o
from striate.cli.options import DataArgument, Json


def find_rate(
    context: typer.Context,
    dataset: DataArgument,
    model: o.Model = None,
    model_option: o.ModelOption = None,
    optimizer: o.Optimizer = None,
    batch_size: o.BatchSize = None,
    lowest: Annotated[float, typer.Option(metavar="X", help="The first rate.")] = 1e-6,
    highest: Annotated[float, typer.Option(metavar="X", help="The last rate.")] = 10.0,
    steps: Annotated[int, typer.Option(metavar="N", help="Rates to try.")] = 100,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw loss against rate.")] = None,
    seed: o.Seed = None,
    threads: o.Threads = None,
    data_dir: o.DataDir = None,
    size: o.Size = None,
    channels: o.Channels = None,
    fit: o.Fit = None,
    shape: o.Shape = None,
    label: o.Label = None,
    group: o.Group = None,
    json: Json = False,
) -> None:
    """Try ever larger learning rates for a few steps and suggest one.

    striate find-rate digits --model lenet5 --plot rates.png
    """
    from striate.cli.configuration import run_config
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.training.learning_rate_finder import find_learning_rate
    from striate.training.run.build import load_splits, make_trainer, network_or_model
    from striate.training.run.recipes import suited

    output = Output(json)
    config = run_config(context.params)
    data = load_splits(config).train
    config = suited(config, data)
    trainer = make_trainer(config, data, network_or_model(config, data))
    found = find_learning_rate(trainer, data, lowest, highest, steps)
    output.line(f"tried {len(found.rates)} rates from {found.rates[0]:.3g} to {found.rates[-1]:.3g}")
    output.line(f"the loss fell fastest at {found.suggestion:.3g}; use it with --learning-rate")
    if plot is not None:
        output.line(f"plot: {write_figure(found.plot(), plot)}")
    losses = [float(loss) for loss in found.losses]
    output.result({"suggestion": float(found.suggestion), "rates": found.rates.tolist(), "losses": losses})
