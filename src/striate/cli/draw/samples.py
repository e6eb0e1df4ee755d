"""``striate draw samples`` and ``striate draw predictions``: data as a grid of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli import samples as s
from striate.cli.draw.common import DataNeeded, Out, draw, load, write
from striate.cli.options import Json, ModelArgument

Count = Annotated[int, typer.Option("--count", metavar="N", help="Number of samples.")]
Seed = Annotated[
    int | None,
    typer.Option("--seed", metavar="S", help="Draw random samples. (default: evenly spread)", show_default=False),
]


@draw.command()
def samples(
    data: DataNeeded,
    count: Count = 25,
    seed: Seed = None,
    out: Out = Path("samples.png"),
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Draw training samples of a data set with their classes."""
    from striate.data import registry
    from striate.explain import draw_samples

    write(draw_samples(registry.load(data, data_dir).train, count, seed=seed), out, json)


@draw.command()
def predictions(
    model: ModelArgument,
    data: DataNeeded,
    count: Count = 25,
    seed: Seed = None,
    mistakes: Annotated[
        bool, typer.Option("--mistakes", help="Draw wrong predictions only, the most confident first.")
    ] = False,
    out: Out = Path("predictions.png"),
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Draw test samples with what a model predicts; wrong predictions in orange."""
    from striate.explain import draw_predictions

    loaded = load(model)
    found = s.dataset(loaded, data, data_dir)
    write(draw_predictions(loaded, found, count, seed=seed, mistakes=mistakes), out, json)
