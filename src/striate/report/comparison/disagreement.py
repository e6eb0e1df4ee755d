"""The samples on which runs disagree, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.drawing.html import Markup, element, empty_element, join, number, section, table
from striate.drawing.images import limits, picture
from striate.model import Evaluation
from striate.report.comparison.entries import Entry, aligned
from striate.report.comparison.results import scores_at
from striate.report.comparison.sections import legend, named

MOST_SHOWN = 48
SIDE = 112


def disagreements(entries: Sequence[Entry]) -> Markup:
    """The samples that the runs predict differently, those with the most confident mistakes first."""
    places = aligned(entries)
    if places is None:
        return Markup()
    title, evaluations = "Where they disagree", _evaluations(entries)
    if any(found.confusion is None or not _one_each(found) for found in evaluations):
        return section(title, _by_score(entries, places))
    calls = np.array([_called(found, place) for found, place in zip(evaluations, places, strict=True)])
    differing = np.flatnonzero((calls != calls[0]).any(axis=0))
    note = f"{len(differing):,} of {calls.shape[1]:,} samples are predicted differently."
    if not len(differing):
        return section(title, element("p", note))
    sure = np.array([_confidence(found, place) for found, place in zip(evaluations, places, strict=True)])
    truth = evaluations[0].targets[np.searchsorted(evaluations[0].samples, places[0])]
    worst = np.where(calls[:, differing] != truth[differing], sure[:, differing], 0.0).max(axis=0)
    shown = differing[np.argsort(-worst, kind="stable")][:MOST_SHOWN]
    if len(shown) < len(differing):
        note += f" The {len(shown)} with the most confident mistakes:"
    figures = [_figure(entries, places, int(n), int(truth[n]), calls[:, n], sure[:, n]) for n in shown]
    return section(title, element("p", note), legend(entries), element("div", *figures, class_="gallery"))


def _figure(
    entries: Sequence[Entry], places: list[np.ndarray], n: int, true: int, calls: np.ndarray, sure: np.ndarray
) -> Markup:
    """Return a sample with the prediction of each run; correct ones are in bold."""
    evaluation, data = entries[0].evaluation, entries[0].data
    assert evaluation is not None
    assert data is not None
    index, classes = int(places[0][n]), evaluation.classes
    title = f"sample {index}" if data.files is None else str(data.files[index])
    lines: list[Any] = [element("b", classes[true])]
    for place, (called, share) in enumerate(zip(calls.tolist(), sure.tolist(), strict=True)):
        word = f"{classes[called]} {share:.0%}"
        lines += [empty_element("br"), named("", place), element("b", word) if called == true else word]
    image = picture(data.inputs[index], *limits(data.inputs), SIDE, title)
    return element("figure", image, element("figcaption", join(lines)))


def _by_score(entries: Sequence[Entry], places: list[np.ndarray]) -> Markup:
    """Return the samples whose scores differ most: of labels, numbers and class maps."""
    scores = np.array([scores_at(entry, place) for entry, place in zip(entries, places, strict=True)])
    spread = scores.max(axis=0) - scores.min(axis=0)
    order = np.argsort(-spread, kind="stable")[:MOST_SHOWN]
    data = entries[0].data
    assert data is not None
    header = ("sample", *(named(entry.name, place) for place, entry in enumerate(entries)))
    rows = [
        (_sample(data.files, int(places[0][n])), *(number(value) for value in scores[:, n].tolist())) for n in order
    ]
    note = "The samples whose scores (share that is correct, or minus the mean absolute error) differ most."
    return join([element("p", note), table(header, rows)])


def _sample(files: np.ndarray | None, index: int) -> str:
    return f"sample {index}" if files is None else str(files[index])


def _evaluations(entries: Sequence[Entry]) -> list[Evaluation]:
    return [entry.evaluation for entry in entries if entry.evaluation is not None]


def _one_each(evaluation: Evaluation) -> bool:
    """Return whether each sample has one class, rather than one for each of its positions."""
    return len(np.unique(evaluation.samples)) == len(evaluation.samples)


def _called(evaluation: Evaluation, places: np.ndarray) -> np.ndarray:
    return np.asarray(evaluation.outputs[np.searchsorted(evaluation.samples, places)].argmax(axis=1))


def _confidence(evaluation: Evaluation, places: np.ndarray) -> np.ndarray:
    return np.asarray(evaluation.outputs[np.searchsorted(evaluation.samples, places)].max(axis=1))
