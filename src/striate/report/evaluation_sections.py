"""Sections about an evaluation: classes, labels, regressions, mistakes and maps of classes."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.html import Markup, element, empty_element, join, pairs, section, table
from striate.drawing.images import limits, picture, png
from striate.drawing.pictures import class_colours, class_palette
from striate.drawing.svg import confusion, curves, scatter
from striate.drawing.words import words_markup
from striate.explain.words import words_of
from striate.losses import is_labelled
from striate.report.sections import MOST_CLASSES
from striate.training.label_metrics import label_metrics
from striate.training.metrics import calibration, classification_metrics, regression_metrics

if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.model import Evaluation, Model
    from striate.training.run import Run

MOST_MISTAKES = 30
MOST_MAPS, MOST_WORDS = 8, 60
MOST_POINTS, MOST_TARGETS = 2000, 6


def classes(run: Run, evaluation: Evaluation) -> Markup:
    """Confusion matrix and metrics of a classifier."""
    found = classification_metrics(evaluation)
    assert evaluation.confusion is not None
    metrics: dict[str, Any] = {"accuracy": found.accuracy, "balanced accuracy": found.balanced_accuracy}
    metrics |= {f"top-{k} accuracy": share for k, share in found.top_k.items() if k > 1}
    metrics |= {f"{key.replace('f1', 'F1')}, mean over classes": value for key, value in found.macro.items()}
    metrics |= {"area under ROC, mean": found.auc, "calibration error": found.calibration_error}
    if evaluation.is_map:
        metrics = {"mean IoU": evaluation.by_class.mean_iou, **metrics}
    header = ("class", "samples", "precision", "recall", "F1", "area under ROC")
    rows = [(m.name, m.support, m.precision, m.recall, m.f1, m.auc) for m in found.by_class]
    pieces = [_metrics(run, metrics, table(header, rows))]
    if len(evaluation.classes) <= MOST_CLASSES:
        pieces.append(section("Confusion", confusion(evaluation.confusion, evaluation.classes)))
    if worst := evaluation.worst_pairs(8):
        pieces.append(section("Confused most often", table(("true", "predicted", "samples"), worst)))
    mean, right, _ = calibration(evaluation)
    ideal = [(0.0, 0.0), (1.0, 1.0)]
    points = list(zip(mean.tolist(), right.tolist(), strict=True))
    chart = curves("accuracy", "confidence", {"this model": points, "calibrated": ideal})
    pieces.append(section("Calibration", chart))
    return join(pieces)


def labels(run: Run, evaluation: Evaluation) -> Markup:
    """Metrics of labels that are on or off."""
    found = label_metrics(evaluation)
    metrics: dict[str, Any] = {"accuracy": found.accuracy, "all labels right": found.exact}
    metrics |= {f"{key.replace('f1', 'F1')}, mean over labels": value for key, value in found.macro.items()}
    metrics |= {"area under ROC, mean": found.auc}
    header = ("label", "samples", "precision", "recall", "F1", "area under ROC")
    rows = [(m.name, m.support, m.precision, m.recall, m.f1, m.auc) for m in found.by_label]
    return _metrics(run, metrics, table(header, rows))


def regression(run: Run, evaluation: Evaluation) -> Markup:
    """Metrics of a regression."""
    found = regression_metrics(evaluation)
    metrics = {"R2": found.r2, "mean absolute error": found.mae, "root mean squared error": found.rmse}
    if found.coverage is not None:
        metrics["targets within 1.96 standard deviations"] = found.coverage
    rows = [(name, *values) for name, values in found.by_target.items()]
    each = table(("target", "R2", "mean absolute error", "root mean squared error"), rows)
    return join([_metrics(run, metrics, each), _predicted_against_true(evaluation)])


def _predicted_against_true(evaluation: Evaluation) -> Markup:
    targets = np.asarray(evaluation.targets).reshape(len(evaluation.targets), -1)
    names = tuple(regression_metrics(evaluation).by_target)
    some = np.random.default_rng(0).permutation(len(targets))[:MOST_POINTS]
    charts = [
        scatter(f"predicted {name}".strip(), f"true {name}".strip(), targets[some, t], evaluation.outputs[some, t])
        for t, name in enumerate(names[:MOST_TARGETS])
    ]
    more = f" {MOST_POINTS:,} of {len(targets):,} samples." if len(targets) > MOST_POINTS else ""
    note = element("p", "On the line, predictions are exact." + more)
    return section("Predicted against true", note, element("div", *charts, class_="gallery"))


def _metrics(run: Run, metrics: dict[str, Any], each: Markup) -> Markup:
    return section(f"Metrics on the {run.split} split", pairs(metrics), empty_element("br"), each)


def _origin(data: Dataset, index: int, folder: str) -> str:
    """Return the file of a sample, seen from the folder that all share; empty where there are none."""
    return "" if data.files is None else os.path.relpath(str(data.files[index]), folder)


def mistakes(evaluation: Evaluation, data: Dataset, model: Model) -> Markup:
    """The samples that were classified wrongly with the greatest confidence."""
    worst = evaluation.mistakes()[:MOST_MISTAKES]
    if not len(worst) or not is_labelled(data.targets):
        return Markup()
    low, high = limits(data.inputs)
    folder = _common_folder(data)
    figures = []
    for row, index in zip(worst.tolist(), evaluation.samples[worst].tolist(), strict=True):
        predicted = int(evaluation.outputs[row].argmax())
        true, called = evaluation.classes[int(data.targets[index])], evaluation.classes[predicted]
        confidence = f"{evaluation.outputs[row, predicted]:.1%}"
        origin = _origin(data, index, folder)
        text = words_of(model, data.inputs[index])
        image = words_markup(text, most=MOST_WORDS) if text else None
        image = image or picture(data.inputs[index], low, high, 112, origin or f"sample {index}")
        end = empty_element("br")
        caption = join([element("b", called), f" {confidence}", end, f"is {true}", end, origin])
        figures.append(element("figure", image, element("figcaption", caption)))
    return section("Most confident mistakes", element("div", *figures, class_="gallery"))


def class_maps(evaluation: Evaluation, data: Dataset) -> Markup:
    """Samples beside their true and predicted class maps, the worst first."""
    if not evaluation.is_map or data.inputs.ndim != data.targets.ndim + 1 or data.targets.ndim < 3:
        return Markup()
    low, high = limits(data.inputs)
    found = predicted_maps(evaluation, data)
    right = (found == data.targets).reshape(len(data), -1).mean(axis=1)
    rows, folder = [], _common_folder(data)
    for index in np.argsort(right, kind="stable")[:MOST_MAPS].tolist():
        name = _origin(data, index, folder) or f"sample {index}"
        images = [
            picture(data.inputs[index], low, high, 112, name),
            png(class_colours(data.targets[index], len(evaluation.classes)), 112, "true"),
            png(class_colours(found[index], len(evaluation.classes)), 112, "predicted"),
        ]
        rows.append(element("figure", *images, element("figcaption", f"{name}: {right[index]:.1%} right")))
    names = [
        element("span", name, style=f"border-bottom: 4px solid {colour}; margin-right: 1em")
        for name, colour in zip(evaluation.classes, class_palette(len(evaluation.classes)), strict=True)
    ]
    note = element("p", "The worst samples: the input, its true classes, the predicted ones.")
    return section("Class maps", note, element("p", *names), element("div", *rows, class_="gallery"))


def predicted_maps(evaluation: Evaluation, data: Dataset) -> np.ndarray:
    """Return the predicted class of each position, int64[N, *space]; the true one where a label is ignored."""
    found = data.targets.copy().reshape(len(data), -1)
    starts = np.searchsorted(evaluation.samples, np.arange(len(data) + 1))
    predicted = evaluation.outputs.argmax(axis=1)
    for index, (start, stop) in enumerate(pairwise(starts.tolist())):
        if stop - start == found.shape[1]:
            found[index] = predicted[start:stop]
    return found.reshape(data.targets.shape)


def _common_folder(data: Dataset) -> str:
    """Return the folder that all files lie in, which no caption has to repeat."""
    folders = {os.path.dirname(str(file)) for file in data.files} if data.files is not None else set()
    try:
        return os.path.commonpath(folders) or "."
    except ValueError:  # no files, or on different drives
        return "."
