"""``striate predict``: predict classes, labels or numbers for files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.options import DataDir, Json, ModelArgument, NoWinograd, Threads
from striate.wording import plain

if TYPE_CHECKING:
    from striate.data.unlabelled import Unlabelled
    from striate.losses import Interpretation
    from striate.model import Model

MOST_NAMED = 20
MOST_SHOWN = 100  # numbers of one sample on the terminal
"""Most numbers of a sample that are printed with their names."""


def predict(
    model: ModelArgument,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help='Images of any size, folders or ZIP files of them, "dir/*.jpg", tables, arrays; houses.csv:7 for '
            "a row of a table, digits:7 for a sample of a data set.",
        ),
    ],
    top: Annotated[int, typer.Option(metavar="K", help="Number of classes to show for each file.")] = 3,
    invert: Annotated[
        bool,
        typer.Option(
            "--invert", help="Invert the image: for dark strokes on light paper and a model trained on digits."
        ),
    ] = False,
    fit: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="How to fit images of a different aspect ratio: stretch, crop or pad. (default: as in training)",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="RxC",
            help="Read images at another size than in training, if the network takes it. (default: as in training)",
        ),
    ] = None,
    step: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Read long recordings and logs in windows, one every X seconds or rows. (default: their "
            "beginning)",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write names, predictions and probabilities to a CSV file.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write the class maps of segmentation, each in the size of its picture."
        ),
    ] = None,
    submission: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the predicted classes to a CSV file with columns ImageId,Label."),
    ] = None,
    data_dir: DataDir = None,
    threads: Threads = None,
    no_winograd: NoWinograd = False,
    json: Json = False,
) -> None:
    """Predict classes, labels or numbers for images, clips, recordings, texts, tables and arrays.

    striate predict runs/digits-lenet5/model.safetensors digit.png
    """
    import striate
    from striate.cli.ending import fail
    from striate.cli.files import write_text
    from striate.cli.masks import check_masks
    from striate.cli.output import Output
    from striate.cli.output import note as write_note
    from striate.cli.parsing import axes
    from striate.cli.streams import printable
    from striate.cli.tables import write_csv
    from striate.errors import DataError
    from striate.layers.arguments import integer

    output = Output(json)
    loaded = striate.load(model, winograd=not no_winograd)
    if size is not None:
        loaded = loaded.for_size(*axes(size, "--size"))
    loaded.threads = None if threads is None else integer(threads, "threads")
    shown = integer(top, "top")
    if masks is not None:
        check_masks(loaded)
    predictions: list[dict[str, Any]] = []
    rows: list[tuple[str, Any]] = []
    problems: list[str] = []
    for path in files:
        try:
            inputs = _read(loaded, path, fit, invert, step, data_dir)
        except DataError as error:
            problems.append(str(error))
            continue
        for note in inputs.notes:
            write_note(f"{path}: {note}")
        found, bad = _predict(loaded, inputs, path, masks, fit)
        items = [_item(loaded, name, row, shown) for name, row in found]
        for item in items if submission is None and out is None else ():
            output.line(_text(item))
        predictions += items
        rows += found
        problems += bad
    if len(problems) == 1 and not predictions:
        fail(problems[0])
    for problem in problems:
        typer.echo(f"striate: {printable(problem)}", err=True)
    if masks is not None and rows:
        output.line(f"written: class maps in {masks}")
    if out is not None and rows:
        output.line(f"written: {write_csv(out, *_table(loaded, rows))}")
    if submission is not None:
        output.line(f"written: {write_text(_submission(predictions), submission)}")
    output.result({"predictions": predictions, "problems": problems, "model": str(model)})
    if problems:
        fail(f"{len(problems)} of {len(problems) + len(predictions)} samples could not be read or predicted.")


def _read(
    model: Model, path: Path, fit: str | None, invert: bool, step: float | None, folder: Path | None
) -> Unlabelled:
    """Return the inputs of files, or of a single row or sample such as ``digits:7``."""
    import numpy as np

    from striate.cli.samples import is_one, read
    from striate.data.unlabelled import Unlabelled
    from striate.model.reading import read_inputs

    if not is_one(str(path)):
        return read_inputs(model, path, fit, invert, step)
    sample = read(model, str(path), fit, invert, folder)
    return Unlabelled(sample[np.newaxis].astype(np.float32), [str(path)], [])


def _predict(
    model: Model, found: Unlabelled, path: Path, masks: Path | None, fit: str | None
) -> tuple[list[tuple[str, Any]], list[str]]:
    """Return a name and a row for every sample of ``path``, and the problems of files left out."""
    import numpy as np

    from striate.cli.masks import write_masks

    names = found.names
    if names[0] == "1":  # rows
        names = [str(path)] if len(names) == 1 else [f"{path}:{name}" for name in names]
    meaning = model.interpret(model.outputs(found.inputs))
    if masks is not None:
        usual = (model.metadata.get("preparation") or {}).get("fit", "stretch")
        write_masks(masks, names, meaning.predictions, meaning.values.shape[1], fit or usual)
    rows, problems = [], [f"{bad.path}: {bad.reason}" for bad in found.bad_files]
    for name, row in zip(names, _rows(model, meaning), strict=True):
        if np.isfinite(row).all():
            rows.append((name, row))
        else:
            problems.append(
                f"{name}: the model's outputs must be finite; got NaN or infinity. Check the sample, "
                "or train the model again."
            )
    return rows, problems


def _rows(model: Model, found: Interpretation) -> Any:
    """Return the probabilities, numbers (and standard deviations), or shares of a map, of each sample."""
    if model.predicts_maps:
        return _shares_of_map(found.values)
    if model.kind != "numbers":
        return found.probabilities
    if found.variances is None:
        return found.values
    return list(zip(found.values, found.variances**0.5, strict=True))


def _shares_of_map(values: Any) -> Any:
    """Return the share of the positions that each class has, float64[N, K]; NaN where a probability is NaN."""
    import numpy as np

    rows = values.reshape(*values.shape[:2], -1)
    shares = np.stack([(rows.argmax(axis=1) == k).mean(axis=1) for k in range(rows.shape[1])], axis=1)
    return np.where(np.isfinite(rows).all(axis=(1, 2))[:, np.newaxis], shares, np.nan)


def _item(model: Model, name: str, row: Any, top: int) -> dict[str, Any]:
    if model.kind == "labels":
        shares = zip(model.output_names, row.ravel(), strict=True)
        return {"file": name, "labels": {label: float(share) for label, share in shares}}
    if isinstance(row, tuple):
        values, deviations = ([float(value) for value in part.ravel()] for part in row)
        numbers = {"values": values, "standard_deviations": deviations}
        return {"file": name, "names": list(model.output_names), **numbers}
    if model.kind == "numbers":
        return {"file": name, "names": list(model.output_names), "values": [float(value) for value in row.ravel()]}
    names = model.output_names
    figure = "share" if model.predicts_maps else "probability"
    order = (-row).argsort(kind="stable")[:top]
    classes = [{"class": names[k], figure: float(row[k])} for k in order]
    return {"file": name, **classes[0], "classes": classes}


def _table(model: Model, rows: list[tuple[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """Return the columns and rows of a table of predictions."""
    from striate.data.tables.labels import SEPARATOR
    from striate.losses import labels_on

    names = list(model.output_names)
    if model.kind == "classes":
        cells = [[file, names[row.argmax()], *(f"{share:.6g}" for share in row)] for file, row in rows]
        return ["file", "prediction", *names], cells
    if model.kind == "labels":
        cells = [
            [file, SEPARATOR.join(labels_on(names, row)), *(f"{share:.6g}" for share in row.ravel())]
            for file, row in rows
        ]
        return ["file", "prediction", *names], cells
    spread = bool(rows) and isinstance(rows[0][1], tuple)
    heads = [*names, *(f"{name} standard deviation" for name in names)] if spread else names
    flat = [(file, [*row[0].ravel(), *row[1].ravel()] if spread else row.ravel()) for file, row in rows]
    return ["file", *heads], [[file, *(f"{value:.9g}" for value in values)] for file, values in flat]


def _submission(predictions: list[dict[str, Any]]) -> str:
    """Return a table of two columns, rows counted from 1, as competitions expect it."""
    rows = [f"{number},{_submitted(item)}" for number, item in enumerate(predictions, 1)]
    return "\n".join(["ImageId,Label", *rows]) + "\n"


def _submitted(item: dict[str, Any]) -> str:
    import numpy as np

    from striate.losses import labels_on

    if "values" in item:
        return " ".join(f"{value:.7g}" for value in item["values"])
    if "labels" in item:
        return " ".join(labels_on(list(item["labels"]), np.array(list(item["labels"].values()))))
    return str(item["class"])


def _text(item: dict[str, Any]) -> str:
    if "values" in item:
        deviations = item.get("standard_deviations")
        spreads = (
            [""] * len(item["values"]) if deviations is None else [f" ± {plain(value, 3)}" for value in deviations]
        )
        numbers = [f"{plain(value, 6)}{spread}" for value, spread in zip(item["values"], spreads, strict=True)]
        if len(numbers) == len(item["names"]) <= MOST_NAMED and item["names"] != ["target 1"]:
            numbers = [f"{name} {text}" for name, text in zip(item["names"], numbers, strict=True)]
        if len(numbers) > MOST_SHOWN:
            numbers = [*numbers[:MOST_SHOWN], f"and {len(numbers) - MOST_SHOWN:,} more (--json prints all)"]
        return f"{item['file']}: {', '.join(numbers)}"
    if "labels" in item:
        return (
            f"{item['file']}: {', '.join(f'{name} {100 * share:.1f} %' for name, share in item['labels'].items())}"
        )
    figure, of = ("share", " of the area") if "share" in item else ("probability", "")
    rest = ", ".join(f"{c['class']} {100 * c[figure]:.1f} %" for c in item["classes"])
    return f"{item['file']}: {rest}{of}"
