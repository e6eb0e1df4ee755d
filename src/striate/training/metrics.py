"""Metrics, computed from an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.errors import UsageError
from striate.layers.arguments import integer
from striate.losses import NUMBERS, usual_names
from striate.model import Evaluation
from striate.model.evaluation import ClassScores
from striate.training.ranking import area_under_roc, average_precision, roc_curve

NORMAL_95 = 1.959963984540054  # standard deviations on each side that hold 95 % of a normal distribution


@dataclass(frozen=True)
class ClassMetrics:
    """The metrics of one class against all others.

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
    """The metrics of a classifier.

    Parameters
    ----------
    accuracy, balanced_accuracy : float
        The second is the mean of the recalls of the classes that are present.
    top_k : dict of int to float
        Share of samples whose class is among the k most probable.
    macro, weighted : dict of str to float
        precision, recall and f1: means over the classes that have samples or were predicted, plain and by their
        number of samples.
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
    """The metrics of a regression; each also for every target.

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
    """Return the metrics of a classifier.

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
    _check_classifier(evaluation)
    y, shares = evaluation.targets, evaluation.outputs
    count = shares.shape[1]
    cells = np.bincount(y * count + shares.argmax(axis=1), weights, count * count)
    confusion = cells.reshape(count, count)
    scores, counts = ClassScores.of(confusion), np.bincount(y, minlength=count)
    areas = [area_under_roc(y == label, shares[:, label], weights) for label in range(count)]
    averages = [average_precision(y == label, shares[:, label], weights) for label in range(count)]
    precision, recall, f1 = (column.tolist() for column in (scores.precision, scores.recall, scores.f1))
    by_class = tuple(
        ClassMetrics(name, precision[i], recall[i], f1[i], areas[i], int(counts[i]), averages[i])
        for i, name in enumerate(evaluation.classes)
    )
    return Metrics(
        accuracy=float(confusion.trace() / confusion.sum()),
        balanced_accuracy=scores.balanced_accuracy,
        top_k={k: top_k(evaluation, k, weights) for k in top if k <= count},
        macro=_averages(scores, None),
        weighted=_averages(scores, scores.support),
        auc=mean_of_known(areas),
        average_precision=mean_of_known(averages),
        calibration_error=calibration_error(evaluation),
        by_class=by_class,
    )


def regression_metrics(evaluation: Evaluation, names: Sequence[str] = ()) -> RegressionMetrics:
    """Return the metrics of a regression; ``names`` are those of the targets."""
    y = evaluation.targets.reshape(len(evaluation.outputs), -1).astype(np.float64)
    outputs = evaluation.outputs.astype(np.float64)
    squares = ((y - outputs) ** 2).mean(axis=0)
    scores = [_r2(squares, y.var(axis=0)), np.abs(y - outputs).mean(axis=0), np.sqrt(squares)]
    titles = tuple(names) or evaluation.target_names or usual_names(NUMBERS, y.shape[1])
    titles = titles if len(titles) == y.shape[1] else usual_names(NUMBERS, y.shape[1])  # pictures
    return RegressionMetrics(
        r2=float(scores[0].mean()),
        mae=float(scores[1].mean()),
        rmse=float(np.sqrt(squares.mean())),
        by_target={name: tuple(float(s[i]) for s in scores) for i, name in enumerate(titles)},
        coverage=_coverage(evaluation, y - outputs),
    )


def _r2(squares: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Return the share of the variance that is explained; of equal targets, 1 if they are all met, otherwise 0."""
    shares = np.divide(squares, variances, out=np.array(squares > 0, np.float64), where=variances > 0)
    return np.asarray(1.0 - shares)


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
    _check_classifier(evaluation)
    count = int(np.sum(evaluation.targets == label))
    if count in (0, len(evaluation.targets)):
        raise UsageError(f"ROC: needs samples of the class and of others; got {count} of {len(evaluation.losses)}.")
    return roc_curve(evaluation.targets == label, evaluation.outputs[:, label])


def calibration(evaluation: Evaluation, bins: int = 15) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for each bin of confidence with samples, the mean confidence, the accuracy and the samples."""
    _check_classifier(evaluation)
    right = evaluation.outputs.argmax(axis=1) == evaluation.targets
    confidence = np.clip(evaluation.outputs.max(axis=1).astype(np.float64), 0.0, 1.0)
    place = np.searchsorted(np.linspace(0.0, 1.0, bins + 1)[1:-1], confidence)
    counts, sums, hits = (np.bincount(place, of, bins) for of in (None, confidence, right))
    filled = counts > 0
    return sums[filled] / counts[filled], hits[filled] / counts[filled], counts[filled]


def calibration_error(evaluation: Evaluation, bins: int = 15) -> float:
    """Return the mean distance between confidence and accuracy over bins of confidence, weighted by samples."""
    mean, accuracy, counts = calibration(evaluation, bins)
    return float(np.average(np.abs(mean - accuracy), weights=counts))


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are not None, or None if there are none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _averages(scores: ClassScores, weights: np.ndarray | None) -> dict[str, float]:
    columns = {"precision": scores.precision, "recall": scores.recall, "f1": scores.f1}
    shares = scores.occurs if weights is None else weights
    return {key: float(np.average(column, weights=shares)) for key, column in columns.items()}


def _check_classifier(evaluation: Evaluation) -> None:
    if evaluation.confusion is None:
        raise UsageError(
            f"metrics: need classes; got the evaluation of {evaluation.kind}. Use the metrics for those."
        )
