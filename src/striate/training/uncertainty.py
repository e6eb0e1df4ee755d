"""Uncertainty of metrics: confidence intervals, and tests whether two models differ on the same samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from striate.losses import NUMBERS, is_on
from striate.model import Evaluation
from striate.model.evaluation import ClassScores
from striate.training.metrics import NORMAL_95

CONFIDENCE = 0.95
RESAMPLES = 2000
MOST_CELLS = 10_000  # of a confusion matrix that is resampled in a moment


class Interval(NamedTuple):
    """A metric and its 95 % confidence interval."""

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """How one model compares with another on the same samples.

    Attributes
    ----------
    only_first, only_second : int
        Samples that only the one of them gets right; 0 for models that predict numbers.
    mean : Interval
        Of the score of the first minus that of the second, per sample; see `sample_scores`.
    p_value : float
        The probability of a difference at least as large between models that are equally good.
    """

    only_first: int
    only_second: int
    mean: Interval
    p_value: float


def sample_scores(evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Return which samples were tested, int64[M], and how well each was predicted, float64[M].

    The score of a sample is the share of it that is right, 0 or 1 where it has one class; of a regression it is
    minus the mean absolute error of its targets.
    """
    samples, place = np.unique(evaluation.samples, return_inverse=True)
    truth = np.asarray(evaluation.targets).reshape(len(evaluation.outputs), -1)
    if evaluation.confusion is not None:
        rows = (evaluation.outputs.argmax(axis=1) == evaluation.targets).astype(np.float64)
    elif evaluation.kind == NUMBERS:
        rows = -np.abs(evaluation.outputs.reshape(truth.shape).astype(np.float64) - truth).mean(axis=1)
    else:
        rows = (is_on(evaluation.outputs.reshape(truth.shape)) == is_on(truth)).mean(axis=1)
    return samples, np.bincount(place, rows) / np.bincount(place)


def wilson(right: int, count: int) -> Interval:
    """Return the share ``right / count`` with its Wilson score interval.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(90, 100)]
    [0.9, 0.826, 0.945]
    """
    z, share = NORMAL_95, right / count
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    return Interval(share, max(centre - reach, 0.0), min(centre + reach, 1.0))


def mean_interval(values: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray] | None = None) -> Interval:
    """Return a mean over samples with its percentile bootstrap interval; the same for the same values.

    Parameters
    ----------
    values : float64[N]
    statistic : function, optional
        Applied to the means, such as a square root.

    References
    ----------
    Efron and Tibshirani (1993), "An introduction to the bootstrap", section 13.3.
    """
    change = statistic or (lambda means: means)
    draws = _generator()
    means = np.array([values[draws.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)])
    return _interval(float(change(np.asarray(values.mean()))), change(means))


def class_intervals(confusion: np.ndarray) -> dict[str, Interval]:
    """Return accuracy, balanced accuracy and macro F1 of a confusion matrix (int64[K, K]) with their intervals.

    That of the accuracy is Wilson's; the others come from the bootstrap, which for a confusion matrix is a
    multinomial draw of its cells. They are left out for more than 100 classes.
    """
    total = int(confusion.sum())
    found = {"accuracy": wilson(int(confusion.trace()), total)}
    if confusion.size > MOST_CELLS:
        return found
    cells = np.flatnonzero(confusion)
    shares = confusion.ravel()[cells] / total
    drawn = np.zeros((RESAMPLES, confusion.size), np.int64)
    drawn[:, cells] = _generator().multinomial(total, shares, RESAMPLES)
    scores = [ClassScores.of(matrix) for matrix in drawn.reshape(RESAMPLES, *confusion.shape)]
    own = ClassScores.of(confusion)
    found["balanced accuracy"] = _interval(own.balanced_accuracy, np.array([s.balanced_accuracy for s in scores]))
    found["macro F1"] = _interval(own.macro_f1, np.array([s.macro_f1 for s in scores]))
    return found


def compare_scores(first: np.ndarray, second: np.ndarray) -> Difference:
    """Return how two models compare by their scores on the same samples, float64[N] each.

    Where a sample is right or wrong the test is McNemar's, exact; else the bootstrap of the mean difference.

    References
    ----------
    McNemar (1947), "Note on the sampling error of the difference between correlated proportions or percentages";
    Dietterich (1998), "Approximate statistical tests for comparing supervised classification learning algorithms".
    """
    difference = first - second
    mean = mean_interval(difference)
    if not set(np.unique(np.concatenate([first, second]))) <= {0.0, 1.0}:
        return Difference(0, 0, mean, _bootstrap_p(difference))
    won, lost = int((difference > 0).sum()), int((difference < 0).sum())
    p_value = _sign_test(won, lost)
    return Difference(won, lost, mean, p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for being several.

    References
    ----------
    Holm (1979), "A simple sequentially rejective multiple test procedure".

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable").tolist()):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted


def _sign_test(won: int, lost: int) -> float:
    """Return the two-sided p-value of fair coin tosses; ``binomial(n, k) / 2**n`` in whole numbers, exactly."""
    count, term, total = won + lost, 1, 0
    for k in range(min(won, lost) + 1):
        total += term
        term = term * (count - k) // (k + 1)
    return min(1.0, 2 * total / (1 << count))


def _bootstrap_p(difference: np.ndarray) -> float:
    """Return the two-sided p-value of a mean of 0, from resamples of the centred differences."""
    draws, centred = _generator(), difference - difference.mean()
    means = [centred[draws.integers(0, len(centred), len(centred))].mean() for _ in range(RESAMPLES)]
    extreme = np.count_nonzero(np.abs(means) >= abs(difference.mean()))
    return float((extreme + 1) / (RESAMPLES + 1))


def _interval(value: float, drawn: np.ndarray) -> Interval:
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return Interval(value, float(low), float(high))


def _generator() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(0))
