"""``striate predict``: what a model says about files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.options import Json, ModelArgument, NoWinograd, Threads

if TYPE_CHECKING:
    from striate.model import Model


def predict(
    model: ModelArgument,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Images of any size, folders of them, tables, arrays.")
    ],
    top: Annotated[int, typer.Option(metavar="K", help="Classes to show for each file.")] = 3,
    invert: Annotated[
        bool, typer.Option("--invert", help="Swap light and dark: for dark strokes on paper and a model of digits.")
    ] = False,
    fit: Annotated[
        str | None, typer.Option(metavar="HOW", help="Other proportions: stretch, crop or pad; as in training.")
    ] = None,
    submission: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the classes of a table's rows as ImageId,Label.")
    ] = None,
    threads: Threads = None,
    no_winograd: NoWinograd = False,
    json: Json = False,
) -> None:
    """Predict the class of images; they are brought to the size and colours of the model.

    striate predict runs/digits-lenet5/model.safetensors digit.png
    """
    import striate
    from striate.cli.ending import fail
    from striate.cli.files import write_text
    from striate.cli.output import Output
    from striate.data.images import check_options
    from striate.layers.arguments import integer

    output = Output(json)
    loaded = striate.load(model, winograd=not no_winograd)
    loaded.threads = None if threads is None else integer(threads, "threads")
    preparation = {"fit": "stretch", **(loaded.metadata.get("preparation") or {})}
    preparation |= {"fit": fit} if fit else {}
    check_options(3, None, preparation["fit"])
    shown = integer(top, "top")
    predictions: list[dict[str, Any]] = []
    problems: list[str] = []
    for path in files:
        found, bad = _predict_path(loaded, path, shown, preparation, invert)
        for item in found if submission is None else ():
            output.line(_text(item))
        predictions += found
        problems += bad
    if len(problems) == 1 and not predictions:
        fail(problems[0])
    for problem in problems:
        typer.echo(f"striate: {problem}", err=True)
    if submission is not None:
        output.line(f"written: {write_text(_submission(predictions), submission)}")
    output.result({"predictions": predictions, "problems": problems, "model": str(model)})
    if problems:
        fail(f"{len(problems)} of {len(problems) + len(predictions)} files could not be read.")


def _predict_path(
    model: Model, path: Path, top: int, preparation: dict[str, Any], invert: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a prediction for every sample in ``path``, and the problems of files left out."""
    from striate.data.unlabelled import read_unlabelled
    from striate.errors import DataError

    try:
        found = read_unlabelled(path, model.input_shape, invert=invert, **preparation)
    except DataError as error:
        return [], [str(error)]
    names = found.names if path.is_dir() or len(found.names) == 1 else [f"{path}:{name}" for name in found.names]
    return (
        [_item(model, name, row, top) for name, row in zip(names, _rows(model, found.inputs), strict=True)],
        [f"{bad.path}: {bad.reason}" for bad in found.bad_files],
    )


def _rows(model: Model, inputs: Any) -> Any:
    """Return for each sample its probabilities, or its numbers, with their standard deviations if it has any."""
    if model.kind != "numbers":
        return model.predict_proba(inputs)
    if model.loss is None or model.loss.name != "gaussian_negative_log_likelihood":
        return model.predict(inputs)
    mean, variance = model.predict_moments(inputs)
    return list(zip(mean, variance**0.5, strict=True))


def _item(model: Model, name: str, row: Any, top: int) -> dict[str, Any]:
    if model.kind == "labels":
        names = model.classes or [f"label {k + 1}" for k in range(len(row))]
        return {"file": name, "labels": {label: float(share) for label, share in zip(names, row, strict=True)}}
    if isinstance(row, tuple):
        values, deviations = ([float(value) for value in part.ravel()] for part in row)
        return {"file": name, "values": values, "standard_deviations": deviations}
    if model.kind == "numbers":
        return {"file": name, "values": [float(value) for value in row.ravel()]}
    names = model.classes or tuple(map(str, range(len(row))))
    order = (-row).argsort(kind="stable")[:top]
    classes = [{"class": names[k], "probability": float(row[k])} for k in order]
    return {"file": name, **classes[0], "classes": classes}


def _submission(predictions: list[dict[str, Any]]) -> str:
    """Return a table of two columns, rows counted from 1, as competitions want it."""
    rows = [f"{number},{_submitted(item)}" for number, item in enumerate(predictions, 1)]
    return "\n".join(["ImageId,Label", *rows]) + "\n"


def _submitted(item: dict[str, Any]) -> str:
    if "values" in item:
        return " ".join(f"{value:.7g}" for value in item["values"])
    if "labels" in item:
        return " ".join(name for name, share in item["labels"].items() if share >= 0.5)
    return str(item["class"])


def _text(item: dict[str, Any]) -> str:
    if "values" in item:
        deviations = item.get("standard_deviations")
        spreads = [""] * len(item["values"]) if deviations is None else [f" ± {value:.3g}" for value in deviations]
        numbers = [f"{value:.6g}{spread}" for value, spread in zip(item["values"], spreads, strict=True)]
        return f"{item['file']}: {' '.join(numbers)}"
    if "labels" in item:
        return (
            f"{item['file']}: {', '.join(f'{name} {100 * share:.1f} %' for name, share in item['labels'].items())}"
        )
    rest = ", ".join(f"{c['class']} {100 * c['probability']:.1f} %" for c in item["classes"])
    return f"{item['file']}: {rest}"
