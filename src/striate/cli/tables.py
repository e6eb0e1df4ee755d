"""Tables that commands write: predictions and mistakes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.model.evaluation import Evaluation


def write_csv(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write a table with the names of its columns, atomically."""
    from striate.cli.files import write_text

    room = io.StringIO(newline="")
    table = csv.writer(room, lineterminator="\n")
    table.writerow(heads)
    table.writerows(rows)
    return write_text(room.getvalue(), path)


def mistakes_table(result: Evaluation, data: Dataset, source: str = "") -> tuple[list[str], list[list[Any]]]:
    """Return the columns and rows of a model's mistakes, the worst first.

    Classes: the most confident mistakes; labels: a row for each wrong label; numbers: all, by their error. Samples
    without a file are those of ``source``, counted from 0 as in ``digits:7``, or from 1 if there is none.
    """
    import numpy as np

    names = data.files
    if names is None:
        names = np.array([f"{source}:{n}" if source else f"{n + 1}" for n in range(len(data))])
    if result.kind == "numbers":
        return _errors(result, names)
    if result.kind == "labels":
        return _wrong_labels(result, names)
    rows: list[list[Any]] = []
    for row in result.mistakes().tolist():
        called, true = int(result.outputs[row].argmax()), int(result.targets[row])
        share = f"{result.outputs[row, called]:.6g}"
        rows.append([names[int(result.samples[row])], result.classes[true], result.classes[called], share])
    return ["file", "true", "predicted", "probability"], rows


def _wrong_labels(result: Evaluation, names: Any) -> tuple[list[str], list[list[Any]]]:
    import numpy as np

    from striate.losses import is_on

    shares = result.outputs.reshape(len(result.outputs), -1)
    truth = is_on(result.targets.reshape(shares.shape))
    wrong = np.argwhere(is_on(shares) != truth)
    confidence = np.abs(shares[tuple(wrong.T)] - 0.5)
    rows = [
        [names[row], result.classes[label], int(truth[row, label]), f"{shares[row, label]:.6g}"]
        for row, label in wrong[np.argsort(-confidence, kind="stable")].tolist()
    ]
    return ["file", "label", "true", "probability"], rows


def _errors(result: Evaluation, names: Any) -> tuple[list[str], list[list[Any]]]:
    import numpy as np

    found = result.outputs.reshape(len(result.outputs), -1).astype(np.float64)
    wanted = result.targets.reshape(found.shape).astype(np.float64)
    order = np.argsort(-np.abs(found - wanted).max(axis=1), kind="stable").tolist()
    numbered = [""] if found.shape[1] == 1 else [f" {k + 1}" for k in range(found.shape[1])]
    heads = ["file", *(f"{word}{number}" for number in numbered for word in ("true", "predicted", "error"))]
    rows = [
        [names[row], *(f"{v:.9g}" for t, p in zip(wanted[row], found[row], strict=True) for v in (t, p, p - t))]
        for row in order
    ]
    return heads, rows
