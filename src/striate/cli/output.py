"""What commands print: for people, and with ``--json`` one object for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from striate.cli.streams import json_text, printable
from striate.wording import percent

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from striate.data.problems import BadFile
    from striate.model.evaluation import Evaluation

MOST_LISTED = 20  # unreadable files
MOST_CLASSES = 25  # a larger confusion matrix does not fit on a screen
LONGEST_NAME = 12


class Output:
    """Where a command writes.

    Parameters
    ----------
    as_json : bool
        Text for people goes to standard error, so that standard output holds the object alone.
    """

    def __init__(self, as_json: bool = False) -> None:
        from rich.console import Console

        self.as_json = as_json
        self.console: Console = Console(stderr=as_json, highlight=False, emoji=False)

    def line(self, text: object = "") -> None:
        """Write one line, or several, as they are."""
        self.console.print(printable(str(text)), markup=False, highlight=False, emoji=False, soft_wrap=True)

    def bad_files(self, bad: Sequence[BadFile], elsewhere: str = "") -> None:
        """List files that were left out; ``elsewhere`` says where more of them are listed."""
        if bad:
            self.line(f"\nskipped {len(bad):,} unreadable file{'s' * (len(bad) > 1)}")
        for item in bad[:MOST_LISTED]:
            self.line(f"  {item.path}: {item.reason}")
        if len(bad) > MOST_LISTED:
            self.line(f"  ... and {len(bad) - MOST_LISTED:,} more{elsewhere}")

    def result(self, values: dict[str, Any]) -> None:
        """Write ``values`` as one line of JSON if that was asked for."""
        if self.as_json:
            typer.echo(json_text(json.dumps(_plain(values), ensure_ascii=False, allow_nan=False)))


def note(text: str) -> None:
    """Write something worth knowing about the data to standard error."""
    typer.echo(f"note: {printable(text)}", err=True)


def evaluation_text(result: Evaluation, what: str, by_class: bool | None = None) -> str:
    """Return loss, accuracy, confusion matrix and worst-confused pairs as text.

    ``by_class`` adds precision, recall and F1 of every class; by default where classes differ much in size.
    """
    if result.kind == "numbers":
        return regression_text(result, what)
    if result.kind == "labels":
        return labels_text(result, what)
    assert result.accuracy is not None
    right, scores = round(result.accuracy * len(result.targets)), result.by_class
    few = len(result.classes) <= MOST_CLASSES
    counted, each = f"{right:,} of {len(result.targets):,}", result.is_map if by_class is None else by_class
    counted += f" positions), mean IoU {scores.mean_iou:.4f}" if result.is_map else ")"
    lines = [f"{what} accuracy {percent(result.accuracy)} ({counted}, loss {result.loss:.4f}"]
    if each or (by_class is None and scores.is_unbalanced):
        lines.append(f"balanced accuracy {percent(scores.balanced_accuracy)}, macro F1 {scores.macro_f1:.4f}")
        lines += ["", *scores_lines(result)] if few else []
        if missed := result.never_predicted if scores.is_unbalanced else []:
            lines += ["", f"never predicted: {', '.join(missed)} (class weights give rare classes more weight)"]
    if result.confusion is not None and few:
        lines += ["", "confusion matrix (a row for each true class, a column for each predicted one)"]
        lines += confusion_lines(result.confusion, result.classes)
    if pairs := result.worst_pairs():
        lines += ["", "confused most"]
        lines += [f"  {true} taken for {called}: {count:,}" for true, called, count in pairs]
    return "\n".join(lines)


def labels_text(result: Evaluation, what: str) -> str:
    """Return accuracy and F1 of labels that are on or off as text."""
    from striate.losses import is_on

    shares = result.outputs.reshape(len(result.outputs), -1)
    truth, called = is_on(result.targets.reshape(shares.shape)), is_on(shares)
    both = (truth & called).sum(axis=0)
    f1 = 2 * both / (truth.sum(axis=0) + called.sum(axis=0)).clip(1)
    exact = (truth == called).all(axis=1).mean()
    lines = [
        f"{what} accuracy of labels {percent(result.accuracy or 0.0)}, all labels right {percent(float(exact))}, "
        f"macro F1 {f1.mean():.4f}, loss {result.loss:.4f}"
    ]
    if len(result.classes) == len(f1) <= MOST_CLASSES:
        rows = [[f"{score:.4f}", f"{on:,}"] for score, on in zip(f1, truth.sum(axis=0), strict=True)]
        lines += ["", *_table(["F1", "samples"], result.classes, rows)]
    return "\n".join(lines)


def scores_lines(result: Evaluation) -> list[str]:
    """Return precision, recall and F1 of every class as lines of text."""
    scores = result.by_class
    columns = {"precision": scores.precision, "recall": scores.recall, "F1": scores.f1}
    columns |= {"IoU": scores.iou} if result.is_map else {}
    rows = []
    for number, shares in enumerate(zip(*columns.values(), strict=True)):
        texts = [f"{share:.4f}" if scores.occurs[number] else "-" for share in shares]
        rows.append([*texts, f"{scores.support[number]:,}"])
    return _table([*columns, "positions" if result.is_map else "samples"], result.classes, rows)


def regression_text(result: Evaluation, what: str) -> str:
    """Return the metrics of a regression as text."""
    from striate.training.metrics import regression_metrics

    found = regression_metrics(result)
    errors = f"mean absolute error {_in_units(found.mae)}, root mean squared error {_in_units(found.rmse)}"
    metrics = f"R2 {found.r2:.4f}, {errors}"
    covered = "" if found.coverage is None else f", {percent(found.coverage)} within 1.96 standard deviations"
    lines = [f"{what} {metrics}{covered}; loss {result.loss:.4g} ({result.loss_name.replace('_', ' ')})"]
    if 1 < len(found.by_target) <= MOST_CLASSES:
        rows = [[f"{r2:.4f}", _in_units(mae), _in_units(rmse)] for r2, mae, rmse in found.by_target.values()]
        heads = ["R2", "mean absolute error", "root mean squared error"]
        lines += ["", *_table(heads, list(found.by_target), rows)]
    return "\n".join(lines)


def _in_units(error: float) -> str:
    """Return an error in the user's unit with four digits, or all whole ones.

    Examples
    --------
    >>> _in_units(0.012345), _in_units(10750.4)
    ('0.01235', '10,750')
    """
    return f"{error:,.0f}" if 1e3 <= error < 1e12 else f"{error:.4g}"


def confusion_lines(confusion: np.ndarray, classes: Sequence[str]) -> list[str]:
    """Return a confusion matrix (int64[K, K]) as lines of text, zeros as dots."""
    names = [_short(name) for name in classes]
    return _table(names, names, [[f"{count:,}" if count else "." for count in row] for row in confusion.tolist()])


def confusion_json(result: Evaluation) -> dict[str, Any]:
    """Return what ``--json`` reports of an evaluation in addition to loss and accuracy."""
    confusion = None if result.confusion is None else result.confusion.tolist()
    pairs = [{"true": t, "predicted": p, "count": n} for t, p, n in result.worst_pairs()]
    return {"classes": list(result.classes), "confusion": confusion, "most_confused": pairs}


def metrics_json(result: Evaluation) -> dict[str, Any]:
    """Return the metrics that fit an evaluation, of classes, labels or numbers, as JSON types."""
    from dataclasses import asdict

    from striate.training.label_metrics import label_metrics
    from striate.training.metrics import classification_metrics, regression_metrics

    kinds = {"classes": classification_metrics, "labels": label_metrics, "numbers": regression_metrics}
    metrics: Any = kinds[result.kind](result)  # type: ignore[operator]
    return asdict(metrics)


def listing(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines of text: columns of numbers to the right, others to the left.

    Examples
    --------
    >>> listing(("run", "epochs"), [("a", "5"), ("bc", "12")])
    ['run  epochs', 'a         5', 'bc       12']
    """
    columns = list(zip(heads, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [all(not cell or cell[0].isdigit() or cell[0] == "-" for cell in column[1:]) for column in columns]
    return [
        "  ".join(
            f"{cell:>{width}}" if to_right else f"{cell:<{width}}"
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in (heads, *rows)
    ]


def _table(heads: Sequence[str], names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table with a name before every row."""
    names = [_short(name) for name in names]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    first = max(map(len, names))
    lines = [" " * (first + 2) + _aligned(heads, widths)]
    return lines + [f"  {name:>{first}}{_aligned(row, widths)}" for name, row in zip(names, rows, strict=True)]


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _aligned(cells: Iterable[str], widths: Sequence[int]) -> str:
    return "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _plain(value: Any) -> Any:
    """Return ``value`` with None in place of numbers that JSON cannot hold."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
