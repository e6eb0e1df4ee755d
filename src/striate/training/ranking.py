"""How well scores rank samples that are of a class above those that are not."""

from __future__ import annotations

import numpy as np


def roc_curve(
    positive: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return false and true positive rates from (0, 0) to (1, 1), one point for each distinct score.

    Parameters
    ----------
    positive : bool[N]
        Some true, some false.
    scores : number[N]
    weights : float[N], optional
        How much each sample counts.

    Returns
    -------
    tuple of float64[thresholds + 1]
    """
    true, false = (np.concatenate([[0.0], counts]) for counts in _called(positive, scores, weights))
    return false / false[-1], true / true[-1]


def area_under_roc(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float | None:
    """Return the area under the ROC curve, or None if all samples that count are positive, or none."""
    counted = positive if weights is None else positive[weights > 0]
    if counted.all() or not counted.any():
        return None
    false, true = roc_curve(positive, scores, weights)
    return float((np.diff(false) * (true[1:] + true[:-1])).sum() / 2)


def average_precision(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float | None:
    """Return the precision, averaged over the recalls at which it changes; None without positive samples.

    References
    ----------
    Everingham et al. (2010), "The Pascal visual object classes challenge", section 4.2.
    """
    counted = positive if weights is None else positive[weights > 0]
    if not counted.any():
        return None
    true, false = _called(positive, scores, weights)
    called = true + false
    precision = np.divide(true, called, out=np.zeros_like(true), where=called > 0)
    return float((np.diff(true, prepend=0.0) * precision).sum() / true[-1])


def _called(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the positives and the others that reach each distinct score, from the highest to the lowest."""
    order = np.argsort(-scores, kind="stable")
    lasts = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    counts = np.ones(len(order)) if weights is None else np.asarray(weights, np.float64)[order]
    true = np.cumsum(np.where(positive[order], counts, 0.0))[lasts]
    return true, np.cumsum(np.where(positive[order], 0.0, counts))[lasts]
