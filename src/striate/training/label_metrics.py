"""Metrics for labels that are on or off, computed from an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.errors import UsageError
from striate.losses import is_on
from striate.model import Evaluation
from striate.model.evaluation import ClassScores
from striate.training.metrics import ClassMetrics, mean_of_known
from striate.training.ranking import area_under_roc, average_precision


@dataclass(frozen=True)
class LabelMetrics:
    """The metrics of a network that predicts several labels, each on or off.

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
    """Return the metrics of labels; a label is on from a probability, or a target, of 0.5.

    Raises
    ------
    UsageError
        If the evaluation is not of labels.
    """
    if evaluation.kind != "labels":
        raise UsageError(
            f"label metrics: need labels that are on or off; got {evaluation.kind}. Use the metrics for those."
        )
    shares = evaluation.outputs.reshape(len(evaluation.outputs), -1)
    truth, called = is_on(evaluation.targets.reshape(shares.shape)), is_on(shares)
    names = evaluation.classes
    areas = [area_under_roc(truth[:, i], shares[:, i]) for i in range(len(names))]
    averages = [average_precision(truth[:, i], shares[:, i]) for i in range(len(names))]
    columns = [_metrics(truth[:, i], called[:, i]) for i in range(len(names))]
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
        micro=_metrics(truth, called),
        auc=mean_of_known(areas),
        average_precision=mean_of_known(averages),
        by_label=by_label,
    )


def _metrics(truth: np.ndarray, called: np.ndarray) -> dict[str, float]:
    """Return precision, recall and F1 of calling labels on, bool[...] each."""
    cells = np.bincount(2 * truth.ravel() + called.ravel(), minlength=4)
    scores = ClassScores.of(cells.reshape(2, 2))
    return {"precision": float(scores.precision[1]), "recall": float(scores.recall[1]), "f1": float(scores.f1[1])}
