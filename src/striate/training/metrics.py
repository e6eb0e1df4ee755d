"""Metrics, computed by scikit-learn from an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.layers.arguments import integer
from striate.losses import NUMBERS, usual_names
from striate.model import Evaluation

NORMAL_95 = 1.959964  # standard deviations on each side that hold 95 % of a normal distribution


@dataclass(frozen=True)
class ClassMetrics:
    """The figures of one class against all others.

    Parameters
    ----------
    name : str
    precision, recall, f1 : float
        0 where nothing was called, or was, of this class.
    auc : float or None
        Area under the ROC curve; None if all samples are of this class, or none.
    average_precision : float or None
        Mean precision over the recalls; None if no sample is of this class.
    support : int
        Samples of this class.
    """

    name: str
    precision: float
    recall: float
    f1: float
    auc: float | None
    support: int
    average_precision: float | None = None


@dataclass(frozen=True)
class Metrics:
    """The figures of a classifier.

    Parameters
    ----------
    accuracy, balanced_accuracy : float
        The second is the mean of the recalls of the classes that are present.
    top_k : dict of int to float
        Share of samples whose class is among the k most probable.
    macro, weighted : dict of str to float
        precision, recall and f1: means over the classes, plain and by their number of samples.
    auc : float or None
        Mean over the classes, one against the rest.
    average_precision : float or None
        Mean over the classes that have samples.
    calibration_error : float
        Expected calibration error, 15 bins of equal width.
    by_class : tuple of ClassMetrics

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning";
    Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", section 2.
    """

    accuracy: float
    balanced_accuracy: float
    top_k: dict[int, float]
    macro: dict[str, float]
    weighted: dict[str, float]
    auc: float | None
    calibration_error: float
    by_class: tuple[ClassMetrics, ...]
    average_precision: float | None = None


@dataclass(frozen=True)
class RegressionMetrics:
    """The figures of a regression; each also for every target.

    Parameters
    ----------
    r2, mae, rmse : float
        Coefficient of determination (mean over the targets), mean absolute error, root of the mean
        squared error.
    by_target : dict of str to tuple of float
    coverage : float or None
        Of a network that learns variances: the share of targets within 1.96 standard deviations of their mean,
        which is 0.95 if the variances are right.
    """

    r2: float
    mae: float
    rmse: float
    by_target: dict[str, tuple[float, ...]]
    coverage: float | None = None


def classification_metrics(
    evaluation: Evaluation, top: Sequence[int] = (1, 3, 5), weights: np.ndarray | None = None
) -> Metrics:
    """Return the figures of a classifier.

    Parameters
    ----------
    evaluation : Evaluation
    top : sequence of int
        The k of top-k; those above the number of classes are left out.
    weights : float[N], optional
        How much each sample counts.

    Raises
    ------
    UsageError
        If the evaluation is not of a classifier.
    """
    from sklearn import metrics

    _check_classifier(evaluation)
    y, shares = evaluation.targets, evaluation.outputs
    predicted, labels = shares.argmax(axis=1), np.arange(shares.shape[1])
    arguments: dict[str, Any] = {"labels": labels, "zero_division": 0.0, "sample_weight": weights}
    table = metrics.precision_recall_fscore_support(y, predicted, **arguments)
    counts = np.bincount(y, minlength=len(labels))
    areas = [area_under_roc(y == label, shares[:, label], weights) for label in labels]
    averages = [average_precision(y == label, shares[:, label], weights) for label in labels]
    precision, recall, f1 = (column.tolist() for column in table[:3])
    by_class = tuple(
        ClassMetrics(name, precision[i], recall[i], f1[i], areas[i], int(counts[i]), averages[i])
        for i, name in enumerate(evaluation.classes)
    )
    present = table[3] > 0
    return Metrics(
        accuracy=float(metrics.accuracy_score(y, predicted, sample_weight=weights)),
        balanced_accuracy=float(table[1][present].mean()),
        top_k={k: top_k(evaluation, k, weights) for k in top if k <= len(labels)},
        macro=_averages(y, predicted, arguments, "macro"),
        weighted=_averages(y, predicted, arguments, "weighted"),
        auc=mean_of_known(areas),
        average_precision=mean_of_known(averages),
        calibration_error=calibration_error(evaluation),
        by_class=by_class,
    )


def regression_metrics(evaluation: Evaluation, names: Sequence[str] = ()) -> RegressionMetrics:
    """Return the figures of a regression; ``names`` are those of the targets."""
    from sklearn import metrics

    y = evaluation.targets.reshape(len(evaluation.outputs), -1).astype(np.float64)
    outputs = evaluation.outputs.astype(np.float64)
    each: dict[str, Any] = {"multioutput": "raw_values"}
    scores = [f(y, outputs, **each) for f in (metrics.r2_score, metrics.mean_absolute_error)]
    scores.append(np.sqrt(metrics.mean_squared_error(y, outputs, **each)))
    titles = tuple(names) or evaluation.target_names or usual_names(NUMBERS, y.shape[1])
    titles = titles if len(titles) == y.shape[1] else usual_names(NUMBERS, y.shape[1])  # pictures
    return RegressionMetrics(
        r2=float(scores[0].mean()),
        mae=float(scores[1].mean()),
        rmse=float(np.sqrt(metrics.mean_squared_error(y, outputs))),
        by_target={name: tuple(float(s[i]) for s in scores) for i, name in enumerate(titles)},
        coverage=_coverage(evaluation, y - outputs),
    )


def _coverage(evaluation: Evaluation, errors: np.ndarray) -> float | None:
    if evaluation.variances is None:
        return None
    return float(np.mean(np.abs(errors) <= NORMAL_95 * np.sqrt(evaluation.variances)))


def top_k(evaluation: Evaluation, k: int, weights: np.ndarray | None = None) -> float:
    """Return the share of samples whose class is among the ``k`` most probable (the first of equal ones)."""
    k = integer(k, "top-k")
    best = np.argsort(-evaluation.outputs, axis=1, kind="stable")[:, :k]
    return float(np.average((best == evaluation.targets[:, np.newaxis]).any(axis=1), weights=weights))


def roc(evaluation: Evaluation, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the ROC curve of one class against the rest: false and true positive rates, float64[n] each.

    Raises
    ------
    UsageError
        If the evaluation is not of a classifier, or has samples of this class only, or none.
    """
    from sklearn.metrics import roc_curve

    _check_classifier(evaluation)
    count = int(np.sum(evaluation.targets == label))
    if count in (0, len(evaluation.targets)):
        raise UsageError(f"ROC: needs samples of the class and of others; got {count} of {len(evaluation.losses)}.")
    false, true, _ = roc_curve(evaluation.targets == label, evaluation.outputs[:, label])
    return false, true


def calibration(evaluation: Evaluation, bins: int = 15) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for each bin of confidence with samples, the mean confidence, the accuracy and the samples."""
    from sklearn.calibration import calibration_curve

    _check_classifier(evaluation)
    right = evaluation.outputs.argmax(axis=1) == evaluation.targets
    confidence = np.clip(evaluation.outputs.max(axis=1).astype(np.float64), 0.0, 1.0)
    accuracy, mean = calibration_curve(right, confidence, n_bins=bins, pos_label=True)
    edges = np.linspace(0.0, 1.0, bins + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], confidence), minlength=bins)
    return mean, accuracy, counts[counts > 0]


def calibration_error(evaluation: Evaluation, bins: int = 15) -> float:
    """Return the mean distance between confidence and accuracy over bins of confidence, by their samples."""
    mean, accuracy, counts = calibration(evaluation, bins)
    return float(np.average(np.abs(mean - accuracy), weights=counts))


def area_under_roc(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float | None:
    """Return the area under the ROC curve, or None if all samples that count are positive, or none."""
    from sklearn.metrics import roc_auc_score

    counted = positive if weights is None else positive[weights > 0]
    if counted.all() or not counted.any():
        return None
    return float(roc_auc_score(positive, scores, sample_weight=weights))


def average_precision(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float | None:
    """Return the precision, averaged over the recalls at which it changes; None without positive samples.

    References
    ----------
    Everingham et al. (2010), "The Pascal visual object classes challenge", section 4.2.
    """
    from sklearn.metrics import average_precision_score

    counted = positive if weights is None else positive[weights > 0]
    if not counted.any():
        return None
    return float(average_precision_score(positive, scores, sample_weight=weights))


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are not None, or None if there are none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _averages(y: np.ndarray, predicted: np.ndarray, arguments: dict[str, Any], average: str) -> dict[str, float]:
    from sklearn.metrics import precision_recall_fscore_support

    values = precision_recall_fscore_support(y, predicted, average=average, **arguments)[:3]
    return {key: float(value) for key, value in zip(("precision", "recall", "f1"), values, strict=True)}


def _check_classifier(evaluation: Evaluation) -> None:
    if evaluation.confusion is None:
        raise UsageError(
            f"metrics: these are for classes; got the evaluation of {evaluation.kind}. Use its own metrics."
        )
