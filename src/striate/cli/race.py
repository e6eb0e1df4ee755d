"""``striate race``: compare optimizers, learning rates or starting points on the same data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.configuration import with_settings
from striate.cli.options import DataArgument, Json

if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.training.trainer import Trainer

TRAINING = (
    "model",
    "model_option",
    "optimizer",
    "learning_rate",
    "batch_size",
    "loss",
    "seed",
    "initial",
    "threads",
)
READING = ("data_dir", "size", "channels", "fit", "shape", "label", "group")
VARIED = ("optimizer", "learning_rate", "initial", "seed", "batch_size")


@with_settings(*TRAINING, *READING)
def race(
    dataset: DataArgument,
    *,
    vary: Annotated[
        str,
        typer.Option(
            metavar="NAME=A,B,...",
            help="Setting to vary: optimizer, learning_rate, initial, seed or batch_size, with its values.",
        ),
    ] = "optimizer=gradient_descent,momentum,rmsprop,adam",
    epochs: Annotated[int, typer.Option(metavar="N", help="Epochs of each training.")] = 20,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Image to write: .png, .svg, .pdf.")] = Path("race.png"),
    json: Json = False,
    **settings: Any,
) -> None:
    """Train a network several times with one setting changed, and draw the paths on its loss.

    striate race digits --model lenet5 --vary optimizer=gradient_descent,momentum,adam

    striate race digits --vary learning_rate=0.01,0.1,1 --optimizer gradient_descent

    striate race digits --vary initial=he,glorot,lecun
    """
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.explain.race import draw_race
    from striate.explain.race import race as run

    output = Output(json)
    name, values = _varied(vary)
    trainers: dict[str, Trainer] = {}
    data: Dataset | None = None
    for value in values:
        label = value if name in ("optimizer", "initial") else f"{name} {value}"
        data, trainers[label.replace("_", " ")] = _trainer(dataset, settings, name, value)
    assert data is not None
    found = run(trainers, data, epochs=epochs)
    output.line(found)
    output.line(f"picture: {write_figure(draw_race(found), out)}")
    runs = [{"name": one.name, "losses": one.losses.tolist(), "diverged": one.diverged} for one in found.runners]
    ranking = [one.name for one in found.ranking]
    output.result({"runs": runs, "ranking": ranking, "share": found.share, "picture": str(out)})


def _varied(text: str) -> tuple[str, list[str]]:
    from striate.errors import UsageError, unknown_name

    name, _, values = text.partition("=")
    name, found = name.strip().replace("-", "_"), [value.strip() for value in values.split(",") if value.strip()]
    if name not in VARIED:
        raise unknown_name("--vary", name, VARIED)
    if len(set(found)) < 2 or len(set(found)) < len(found):
        raise UsageError(f"--vary: needs at least two different values, such as {name}=a,b; got {text!r}.")
    return name, found


def _typed(text: str) -> int | float | str:
    """Return ``text`` as a number if it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _trainer(dataset: str, settings: dict[str, Any], name: str, value: str) -> tuple[Dataset, Trainer]:
    from striate.cli.configuration import run_config
    from striate.training.run.build import load_splits, make_trainer, network_or_model
    from striate.training.run.resolve import resolve
    from striate.training.run.start import starting_model

    config = run_config({"dataset": dataset, **settings, name: _typed(value)})
    start = starting_model(config.model)
    data = load_splits(config, start).train
    config = resolve(config, data, start)
    return data, make_trainer(config, network_or_model(config, data, start))
