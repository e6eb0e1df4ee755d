"""``striate quantise``: turn a model into one that computes in 8-bit integers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import options as o
from striate.cli.options import Json, ModelArgument
from striate.errors import UsageError

ROUNDS = 31
if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.model import Model


def quantise(
    context: typer.Context,
    model: ModelArgument,
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="DATASET",
            help="Data set to calibrate with, by name, folder or file.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Model file to write.",
            show_default=False,
            callback=o.model_suffix,
        ),
    ],
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the split, as in training.")] = 0,
    threads: o.Threads = None,
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
    """Convert the weights and sums of a model to 8-bit integers: a quarter of the size, and faster.

    striate quantise runs/digits-lenet5 --data digits --out small.safetensors

    The training samples of the data set calibrate the model, its other samples test it before and after.
    """
    import striate
    from striate.cli.configuration import data_options
    from striate.cli.output import Output
    from striate.layers.arguments import integer
    from striate.model.reading import data_for_model
    from striate.storage.model_file import model_file_of

    output, loaded = Output(json), striate.load(model)
    if out.exists() and model_file_of(model).samefile(out):
        raise UsageError(f"{out}: is the model itself; quantising would replace it. Choose another name.")
    loaded.threads = None if threads is None else integer(threads, "threads")
    splits = data_for_model(loaded, data, data_dir, seed, data_options(context.params))
    test = splits.test or splits.validation or splits.train
    small = loaded.quantise(splits.train)
    compared = _compared(loaded, small, test, small.save(out))
    output.line(_text(small, compared, len(test)))
    output.line(f"\nwritten: {out}")
    output.result({"model": str(model), "written": str(out), "layers": small.metadata["quantisation"], **compared})


def _compared(before: Model, after: Model, test: Dataset, written: Path) -> dict[str, Any]:
    """Return accuracy, loss, size and speed of both models."""
    found, again = before.evaluate(test), after.evaluate(test)
    sizes = 4 * (before.network.parameter_count + before.network.state_count), written.stat().st_size
    one, many = _milliseconds(before, after, test, 1), _milliseconds(before, after, test, 64)
    return {
        "accuracy": [found.accuracy, again.accuracy],
        "loss": [found.loss, again.loss],
        "bytes": list(sizes),
        "milliseconds_1": one,
        "milliseconds_64": many,
    }


def _milliseconds(before: Model, after: Model, test: Dataset, batch: int) -> list[float]:
    """Return the median time of a batch of samples for each model; they take turns."""
    import time

    import numpy as np

    from striate.data.streaming import blocks

    _, block, places = next(blocks(before.raw_samples(test.inputs), [np.arange(batch) % len(test)]))
    x = np.ascontiguousarray(block[places])
    predictors = [model.predictor(batch, x.dtype) for model in (before, after)]
    times: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for predictor, found in zip(predictors, times, strict=True):
            start = time.perf_counter()
            predictor(x)
            found.append(1e3 * (time.perf_counter() - start))
    return [float(np.median(found[1:])) for found in times]


def _text(small: Model, compared: dict[str, Any], samples: int) -> str:
    from striate.cli.output import listing
    from striate.summary import format_bytes
    from striate.wording import percent

    rows = []
    if compared["accuracy"][0] is not None:
        rows.append((f"accuracy ({samples:,} samples)", *map(percent, compared["accuracy"])))
    rows += [
        ("loss", *(f"{loss:.4f}" for loss in compared["loss"])),
        ("size", *map(format_bytes, compared["bytes"])),
        ("1 sample", *(f"{ms:.3f} ms" for ms in compared["milliseconds_1"])),
        ("64 samples", *(f"{ms:.3f} ms" for ms in compared["milliseconds_64"])),
    ]
    lines = listing(("", "float32", "int8"), rows)
    kept = small.metadata["quantisation"]["float32"]
    lines += [f"{name} stays in float32: {reason}" for name, reason in kept.items()]
    return "\n".join(lines)
