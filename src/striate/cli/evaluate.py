"""``striate evaluate``: how well a model does on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli import options as o
from striate.cli.options import DataArgument, Json, ModelArgument


def evaluate(
    context: typer.Context,
    model: ModelArgument,
    dataset: DataArgument,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="SPLIT", help="Split to test: train, validation, test or all. (default: the test files, or all)"
        ),
    ] = None,
    part: Annotated[str | None, typer.Option(hidden=True)] = None,
    mistakes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the mistakes to a CSV file, worst first.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the split, as in training.")] = 0,
    threads: o.Threads = None,
    no_winograd: o.NoWinograd = False,
    data_dir: o.DataDir = None,
    size: o.Size = None,
    channels: o.Channels = None,
    frames: o.Frames = None,
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
    """Test a saved model: loss, accuracy, scores of each class, confusion matrix.

    striate evaluate runs/digits-lenet5/model.safetensors digits

    A folder or file without a test split is tested whole; --split test uses only the samples held out in training.
    """
    import math

    import striate
    from striate.cli.configuration import data_options
    from striate.cli.ending import fail
    from striate.cli.output import Output, confusion_json, evaluation_text, metrics_json, note
    from striate.cli.sources import WHOLE, held_out
    from striate.cli.tables import mistakes_table, write_csv
    from striate.layers.arguments import integer

    output = Output(json)
    loaded = striate.load(model, winograd=not no_winograd)
    loaded.threads = None if threads is None else integer(threads, "threads")
    name, data, splits = held_out(loaded, dataset, data_dir, seed, data_options(context.params), split or part)
    for line in splits.notes:
        note(f"{dataset}: {line}")
    result = loaded.evaluate(data)
    if not math.isfinite(result.loss):
        fail(f"{model}: the model's outputs must be finite; got a loss of {result.loss}. Train it again.")
    output.line(evaluation_text(result, "" if name == WHOLE else name, by_class=True).strip())
    if name == WHOLE and data.name == loaded.metadata.get("data"):
        output.line("\nThese may be the samples the model was trained on. --split test leaves those out.")
    output.bad_files(splits.bad_files)
    if mistakes is not None:
        source = dataset if name == "test" and not Path(dataset).exists() else ""
        output.line(f"\nwritten: {write_csv(mistakes, *mistakes_table(result, data, source))}")
    scores = {"split": name, f"{name}_accuracy": result.accuracy, f"{name}_loss": result.loss}
    more_metrics = {"metrics": metrics_json(result)} if json else {}
    more = {"samples": len(data), "bad_files": [list(bad) for bad in splits.bad_files]}
    more |= {"dataset": dataset, "model": str(model)}
    output.result({**scores, **confusion_json(result), **more_metrics, **more})
