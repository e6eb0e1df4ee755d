"""A sample for a model and a place in it, from what was typed; shared by the commands that explain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from striate.data.dataset import Dataset
    from striate.explain.tracing import Trace
    from striate.model import Model

Image = Annotated[
    str,
    typer.Argument(
        metavar="IMAGE",
        help="An image or a recording; houses.csv:7 for a table row; digits:7 for a sample of a data set.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Folder with the files of the data set.", show_default=False),
]
Invert = Annotated[
    bool,
    typer.Option(
        "--invert", help="Invert the image: for dark strokes on light paper and a model trained on digits."
    ),
]
Fit = Annotated[
    str | None,
    typer.Option(
        "--fit",
        metavar="HOW",
        help="How to fit images of a different aspect ratio: stretch, crop or pad. (default: as in training)",
        show_default=False,
    ),
]
Class = Annotated[
    str | None,
    typer.Option(
        "--class", metavar="CLASS", help="Class to explain. (default: the predicted one)", show_default=False
    ),
]
Layer = Annotated[
    str | None, typer.Option("--layer", metavar="NAME", help="Layer, such as conv2; striate summary lists them.")
]
Channel = Annotated[int | None, typer.Option("--channel", metavar="C", help="Channel, from 0.", show_default=False)]
Depth = Annotated[int | None, typer.Option("--depth", metavar="D", help="Depth, for volumes.", show_default=False)]
Row = Annotated[int | None, typer.Option("--row", metavar="R", help="Row, from 0.", show_default=False)]
Column = Annotated[int | None, typer.Option("--column", metavar="C", help="Column, from 0.", show_default=False)]
Position = Annotated[
    int | None, typer.Option("--position", metavar="P", help="Position, for signals.", show_default=False)
]
Feature = Annotated[
    int | None,
    typer.Option("--feature", metavar="F", help="Feature, for fully connected layers.", show_default=False),
]


def is_one(text: str) -> bool:
    """Return whether ``text`` names a row of a table or a sample of a data set, such as ``digits:7``."""
    _, colon, number = text.rpartition(":")
    return bool(colon) and number.isdecimal() and not Path(text).exists()


def read(
    model: Model, text: str, fit: str | None = None, invert: bool = False, folder: Path | None = None
) -> np.ndarray:
    """Return one raw sample, float64[*input_shape]; see `read_named`."""
    return read_named(model, text, fit, invert, folder)[1]


def read_named(
    model: Model, text: str, fit: str | None = None, invert: bool = False, folder: Path | None = None
) -> tuple[str, np.ndarray]:
    """Return the name and one raw sample of a file, ``TABLE:ROW`` (from 1) or ``DATASET:NUMBER``.

    Raises
    ------
    DataError
        If the file or the data set cannot be read.
    UsageError
        If the data set has no such sample.
    """
    import numpy as np

    from striate.explain.samples import as_sample

    if not is_one(text):
        return _read_file(model, Path(text), fit, invert, None)
    name, _, number = text.rpartition(":")
    if Path(name).is_file():
        return _read_file(model, Path(name), fit, invert, int(number))
    if invert or fit:
        raise UsageError(f"{text}: --invert and --fit are for files; got a sample of a data set. Leave them out.")
    data = dataset(model, name, folder)
    if int(number) >= len(data):
        raise UsageError(f"{name}: has samples 0 to {len(data) - 1:,}; got {number}.")
    return text, as_sample(model, np.asarray(data.inputs[int(number)]))


def _read_file(model: Model, path: Path, fit: str | None, invert: bool, row: int | None) -> tuple[str, np.ndarray]:
    """Return a sample of a file with its name, the first one by default; say so if there are others."""
    from striate.cli.output import note
    from striate.explain.samples import sample_of
    from striate.model.reading import read_inputs

    found = read_inputs(model, path, fit, invert)
    sample = sample_of(found, path, 1 if row is None else row)
    for line in found.notes:
        note(f"{path}: {line}")
    if row is None and len(found.inputs) > 1:
        count = len(found.inputs)
        note(f"{path}: took sample 1 of {count:,}; to choose another, add its number: {path}:{count}")
        return f"{path}:1", sample
    return (str(path) if row is None else f"{path}:{row}"), sample


def dataset(model: Model, name: str, folder: Path | None = None) -> Dataset:
    """Return the test split of a data set (else its training split) in the shape of the model."""
    from striate.data.options import Options
    from striate.model.reading import data_for_model

    splits = data_for_model(model, name, folder, 0, Options())
    found = splits.test if splits.test is not None else splits.train
    if not len(found):
        raise DataError(f"{name}: holds no samples.")
    return found


def class_of(model: Model, text: str | None) -> int | str | None:
    """Return a class by name or number; a number that is not the name of a class counts from 0."""
    return int(text) if text is not None and text not in model.classes and text.isdecimal() else text


def place(trace: Trace, layer: str | None, given: dict[str, int | None]) -> tuple[str, tuple[int, ...]]:
    """Return a layer and an index in it.

    Without a layer the class scores, without a place the largest value of the layer (or of the channel).

    Raises
    ------
    UsageError
        If there is no such layer or place.
    """
    import numpy as np

    from striate.explain.positions import axis_names, resolve
    from striate.explain.tracing import score_step

    layer = score_step(trace.network) if layer is None else layer
    values, shape = trace[layer], trace.network.step(layer).shape
    stated = {name for name, value in given.items() if value is not None}
    names = axis_names(shape)
    if stated - {"channel"} or (stated and len(names) == 1):
        return layer, resolve(layer, shape, given)
    first = 0
    if stated:
        first = resolve(layer, shape, {**dict.fromkeys(names, 0), "channel": given["channel"]})[0]
        values = values[first : first + 1]
    numbers = trace.model.kind == "numbers" and layer == score_step(trace.network)  # which have no largest
    largest = 0 if numbers else int(np.argmax(values))
    index = tuple(int(i) for i in np.unravel_index(largest, values.shape))
    return layer, (index[0] + first, *index[1:])


def class_name(model: Any, number: int) -> str:
    """Return the name of a class, label or predicted number; of a class without a name, its number."""
    return str(model.output_names[number])
