from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from striate.data.dataset import Dataset
from striate.losses import CrossEntropy
from striate.model.evaluation import evaluation
from striate.training.uncertainty import (
    class_intervals,
    compare_scores,
    holm,
    mean_interval,
    sample_scores,
    wilson,
)


def test_wilson_solves_its_equation():
    found = wilson(17, 40)
    z = stats.norm.ppf(0.975)
    for bound in (found.low, found.high):
        assert abs(17 / 40 - bound) == pytest.approx(z * np.sqrt(bound * (1 - bound) / 40))


def test_the_bootstrap_of_a_mean_is_close_to_the_normal_interval():
    values = np.random.default_rng(0).normal(3, 2, 500)
    found, error = mean_interval(values), stats.sem(values)
    assert found.value == values.mean()
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)
    assert mean_interval(values) == found


def test_intervals_of_classes_hold_their_figures():
    confusion = np.array([[40, 3, 0], [5, 30, 2], [0, 1, 9]])
    found = class_intervals(confusion)
    assert list(found) == ["accuracy", "balanced accuracy", "macro F1"]
    assert found["accuracy"] == wilson(79, 90)
    for interval in found.values():
        assert interval.low < interval.value < interval.high


def test_mcnemar_counts_the_samples_that_one_alone_gets_right():
    first, second = (
        np.repeat([1.0, 1.0, 0.0, 0.0], [50, 15, 4, 31]),
        np.repeat([1.0, 0.0, 1.0, 0.0], [50, 15, 4, 31]),
    )
    found = compare_scores(first, second)
    assert (found.only_first, found.only_second) == (15, 4)
    assert found.p_value == pytest.approx(2 * stats.binom.cdf(4, 19, 0.5))
    assert found.mean.value == pytest.approx(0.11)
    assert compare_scores(first, first).p_value == 1.0


def test_scores_that_are_no_right_or_wrong_are_compared_by_the_bootstrap():
    rng = np.random.default_rng(1)
    base = rng.normal(size=300)
    assert compare_scores(base + 0.5 + rng.normal(size=300), base).p_value < 0.01
    assert compare_scores(base + rng.normal(size=300), base).p_value > 0.05


def test_holm_never_lets_a_larger_p_value_fall_below_a_smaller_one():
    assert holm([0.02, 0.02, 0.02]) == pytest.approx([0.06, 0.06, 0.06])
    assert holm([0.9, 0.001]) == pytest.approx([0.9, 0.002])
    assert holm([]) == []


def test_scores_of_a_class_map_are_the_share_of_its_positions():
    labels = np.array([[[0, 1]], [[1, 1]]])
    scores = np.zeros((2, 2, 1, 2), np.float32)
    scores[:, 1] = 5
    data = Dataset(np.zeros((2, 1, 1, 2), np.float32), labels)
    samples, shares = sample_scores(evaluation(scores, data, ("a", "b"), CrossEntropy()))
    assert samples.tolist() == [0, 1]
    assert shares.tolist() == [0.5, 1.0]
