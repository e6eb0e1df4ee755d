from __future__ import annotations

import numpy as np
import pytest

from striate.data.dataset import Dataset
from striate.errors import UsageError
from striate.model.evaluation import Evaluation, evaluation
from striate.training import metrics


def evaluated(shares, targets) -> Evaluation:
    shares, targets = np.array(shares, np.float32), np.array(targets)
    data = Dataset(np.zeros((len(targets), 1, 1, 1), np.uint8), targets, tuple("abc"))
    with np.errstate(divide="ignore"):
        return evaluation(np.log(shares), data, tuple("abc"), "cross_entropy")


@pytest.fixture
def four() -> Evaluation:
    return evaluated([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.4, 0.1], [0.2, 0.5, 0.3]], [0, 1, 1, 2])


def test_figures_by_hand(four):
    found = metrics.classification_metrics(four)
    assert found.accuracy == 0.5
    assert found.top_k == {1: 0.5, 3: 1.0}
    assert metrics.top_k(four, 2) == 1.0
    a, b, c = found.by_class
    assert (a.precision, a.recall, a.support) == (0.5, 1.0, 1)
    assert (b.precision, b.recall, b.f1, b.support) == (0.5, 0.5, 0.5, 2)
    assert (c.precision, c.recall, c.f1, c.support) == (0.0, 0.0, 0.0, 1)
    assert (a.auc, b.auc, c.auc) == (1.0, 0.75, pytest.approx(5 / 6))
    assert found.auc == pytest.approx((1 + 0.75 + 5 / 6) / 3)
    assert found.balanced_accuracy == 0.5
    assert found.macro["precision"] == pytest.approx(1 / 3)
    assert found.weighted["recall"] == 0.5


def test_calibration_error_by_hand(four):
    # confidences 0.7 (right), 0.6 (right), 0.5 and 0.5 (wrong)
    assert metrics.calibration_error(four, 15) == pytest.approx((0.3 + 0.4 + 0.5 + 0.5) / 4, abs=1e-6)
    mean, accuracy, counts = metrics.calibration(four, 2)
    assert counts.tolist() == [2, 2]
    assert mean == pytest.approx([0.5, 0.65])
    assert accuracy.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("weighted", [False, True])
def test_figures_are_those_of_scikit_learn(weighted):
    from sklearn import metrics as peer
    from sklearn.calibration import calibration_curve as peer_calibration

    random = np.random.default_rng(1)
    shares, y = (
        random.dirichlet(np.ones(3), 200).astype(np.float32),
        random.integers(0, 2, 200),
    )  # the third is absent
    weights = random.integers(0, 4, 200).astype(float) if weighted else None
    data = evaluated(shares, y)
    found, called = metrics.classification_metrics(data, weights=weights), data.outputs.argmax(axis=1)
    options = {"labels": [0, 1, 2], "zero_division": 0.0, "sample_weight": weights}
    for average in ("macro", "weighted"):
        wanted = peer.precision_recall_fscore_support(y, called, average=average, **options)[:3]
        assert tuple(getattr(found, average).values()) == pytest.approx(wanted)
    assert found.balanced_accuracy == pytest.approx(
        peer.recall_score(y, called, average=None, **options)[:2].mean()
    )
    right, confidence = called == y, data.outputs.max(axis=1)
    mean, accuracy, _ = metrics.calibration(data, 15)
    assert np.stack([accuracy, mean]) == pytest.approx(np.stack(peer_calibration(right, confidence, n_bins=15)))


def test_classes_that_do_not_occur_do_not_count_in_means():
    from sklearn.metrics import f1_score, jaccard_score

    shares, y = np.eye(3, dtype=np.float32)[[0, 0, 1, 0]] * 0.8 + 0.1, [0, 1, 1, 0]  # the third is neither
    data, called = evaluated(shares / shares.sum(axis=1, keepdims=True), y), [0, 0, 1, 0]
    assert data.by_class.macro_f1 == pytest.approx(f1_score(y, called, average="macro"))
    assert metrics.classification_metrics(data).macro["f1"] == pytest.approx(f1_score(y, called, average="macro"))
    assert data.by_class.mean_iou == pytest.approx(jaccard_score(y, called, average="macro"))


def test_a_class_that_is_only_predicted_counts_in_means():
    from sklearn.metrics import f1_score, jaccard_score

    data, y, called = evaluated([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]], [0, 0]), [0, 0], [0, 1]
    assert data.by_class.macro_f1 == pytest.approx(f1_score(y, called, average="macro"))
    assert data.by_class.mean_iou == pytest.approx(jaccard_score(y, called, average="macro"))


def test_weights_count_samples_more(four):
    found = metrics.classification_metrics(four, weights=np.array([1.0, 1.0, 2.0, 0.0]))
    assert found.accuracy == 0.5
    assert found.by_class[1].recall == pytest.approx(1 / 3)


def test_classes_without_samples_spoil_nothing():
    found = metrics.classification_metrics(evaluated([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0]], [0, 0]))
    assert found.auc is None
    assert found.balanced_accuracy == 1.0
    assert [m.auc for m in found.by_class] == [None] * 3


def test_roc_ends_in_the_corners(four):
    false, true = metrics.roc(four, 1)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(true, false) == pytest.approx(0.75)


def regression(outputs, targets):
    data = Dataset(np.zeros((len(targets), 1, 1, 1), np.uint8), np.array(targets, np.float32))
    return evaluation(np.array(outputs, np.float32), data, (), "mean_squared_error")


def test_figures_of_a_regression_by_hand():
    found = metrics.regression_metrics(regression([[1, 0], [2, 2]], [[1, 1], [3, 3]]), ["x", "y"])
    assert found.mae == 0.75
    assert found.rmse == pytest.approx(np.sqrt(0.75))
    assert found.by_target["x"] == pytest.approx((0.5, 0.5, np.sqrt(0.5)))
    assert found.by_target["y"] == pytest.approx((0.0, 1.0, 1.0))
    assert found.r2 == pytest.approx(0.25)


def test_r2_of_equal_targets():
    found = metrics.regression_metrics(regression([[1, 0, 1], [1, 2, 2]], [[1, 1, 1], [1, 1, 3]]), "abc")
    assert [figures[0] for figures in found.by_target.values()] == pytest.approx([1.0, 0.0, 0.5])


def test_figures_of_classes_need_classes():
    with pytest.raises(UsageError, match="metrics: need classes; got the evaluation of numbers"):
        metrics.classification_metrics(regression([[1, 0]], [[1, 1]]))


def test_a_roc_needs_both_kinds_of_samples(four):
    with pytest.raises(UsageError, match="ROC: needs samples of the class and of others; got 2 of 2"):
        metrics.roc(evaluated([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0]], [0, 0]), 0)


def test_top_k_needs_a_k(four):
    with pytest.raises(UsageError, match="top-k: must be at least 1; got 0"):
        metrics.top_k(four, 0)
