"""``striate evaluate``: how good a model is on a data set."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import options as o
from striate.cli.options import DataArgument, Json, ModelArgument


def evaluate(
    context: typer.Context,
    model: ModelArgument,
    dataset: DataArgument,
    part: Annotated[str, typer.Option(metavar="PART", help="train, validation or test.")] = "test",
    seed: Annotated[int, typer.Option(metavar="S", help="Of the split; as in training.")] = 0,
    threads: o.Threads = None,
    no_winograd: o.NoWinograd = False,
    data_dir: o.DataDir = None,
    size: o.Size = None,
    channels: o.Channels = None,
    fit: o.Fit = None,
    shape: o.Shape = None,
    label: o.Label = None,
    group: o.Group = None,
    ignore: o.Ignore = None,
    missing: o.Missing = None,
    task: o.Task = None,
    test_fraction: o.TestFraction = None,
    max_bad_share: o.MaxBadShare = None,
    json: Json = False,
) -> None:
    """Test a saved model on a data set: loss, accuracy, confusion matrix.

    striate evaluate runs/digits-lenet5/model.safetensors digits
    """
    import striate
    from striate.cli.configuration import data_options
    from striate.cli.output import Output, confusion_json, evaluation_text, metrics_json
    from striate.cli.sources import PARTS, data_for_model
    from striate.errors import DataError, unknown_name
    from striate.layers.arguments import integer

    output = Output(json)
    if part not in PARTS:
        raise unknown_name("part", part, PARTS)
    loaded = striate.load(model, winograd=not no_winograd)
    loaded.threads = None if threads is None else integer(threads, "threads")
    data = PARTS[part](data_for_model(loaded, dataset, data_dir, seed, data_options(context.params)))
    if data is None:
        raise DataError(f"{dataset}: has no {part} part. Choose another with --part.")
    result = loaded.evaluate(data)
    output.line(evaluation_text(result, part))
    accuracy = {f"{part}_accuracy": result.accuracy, f"{part}_loss": result.loss, "samples": len(data)}
    figures = {"metrics": metrics_json(result)} if json else {}
    output.result({**accuracy, **confusion_json(result), **figures, "dataset": dataset, "model": str(model)})
