"""Metrics for labels that are on or off, computed by scikit-learn from an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.model import Evaluation
from striate.training.metrics import ClassMetrics, area_under_roc, average_precision, mean_of_known


@dataclass(frozen=True)
class LabelMetrics:
    """The figures of a network that says of several labels whether each is on.

    Parameters
    ----------
    accuracy : float
        Share of labels that are right, of all samples and labels.
    exact : float
        Share of samples all of whose labels are right.
    macro, micro : dict of str to float
        precision, recall and f1: means over the labels, and over all decisions.
    auc : float or None
        Mean over the labels that are on for some samples and off for others.
    by_label : tuple of ClassMetrics
    average_precision : float or None
        Mean over the labels that are on for some samples ("mean average precision").
    """

    accuracy: float
    exact: float
    macro: dict[str, float]
    micro: dict[str, float]
    auc: float | None
    by_label: tuple[ClassMetrics, ...]
    average_precision: float | None = None


def label_metrics(evaluation: Evaluation) -> LabelMetrics:
    """Return the figures of labels; a label is on from a probability, or a target, of 0.5.

    Raises
    ------
    UsageError
        If the evaluation is not of labels.
    """
    if evaluation.kind != "labels":
        raise UsageError(
            f"label metrics: are for labels that are on or off; got {evaluation.kind}. Use its own metrics."
        )
    shares = evaluation.outputs.reshape(len(evaluation.outputs), -1)
    truth, called = evaluation.targets.reshape(shares.shape) >= 0.5, shares >= 0.5
    names = evaluation.classes
    areas = [area_under_roc(truth[:, i], shares[:, i]) for i in range(len(names))]
    averages = [average_precision(truth[:, i], shares[:, i]) for i in range(len(names))]
    columns = [_figures(truth[:, i], called[:, i], "binary") for i in range(len(names))]
    by_label = tuple(
        ClassMetrics(
            name, **columns[i], auc=areas[i], support=int(truth[:, i].sum()), average_precision=averages[i]
        )
        for i, name in enumerate(names)
    )
    return LabelMetrics(
        accuracy=float((truth == called).mean()),
        exact=float((truth == called).all(axis=1).mean()),
        macro={key: float(np.mean([column[key] for column in columns])) for key in columns[0]},
        micro=_figures(truth.ravel(), called.ravel(), "binary"),
        auc=mean_of_known(areas),
        average_precision=mean_of_known(averages),
        by_label=by_label,
    )


def _figures(truth: np.ndarray, called: np.ndarray, average: Any) -> dict[str, float]:
    from sklearn.metrics import precision_recall_fscore_support

    values = precision_recall_fscore_support(truth, called, average=average, zero_division=0.0)[:3]
    return {key: float(value) for key, value in zip(("precision", "recall", "f1"), values, strict=True)}
