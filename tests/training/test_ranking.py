from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.training.ranking import area_under_roc, average_precision, roc_curve


@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(1, 9), st.booleans())
@settings(max_examples=60, deadline=None)
def test_curve_area_and_precision_are_those_of_scikit_learn(seed, count, levels, weighted):
    from sklearn import metrics as peer

    random = np.random.default_rng(seed)
    scores = random.integers(0, levels, count) / 8  # with ties
    positive = random.permutation(np.arange(count) < random.integers(1, count))
    weights = random.uniform(0.1, 3, count) if weighted else None
    false, true, _ = peer.roc_curve(positive, scores, sample_weight=weights, drop_intermediate=False)
    assert np.stack(roc_curve(positive, scores, weights)) == pytest.approx(np.stack([false, true]))
    assert area_under_roc(positive, scores, weights) == pytest.approx(
        peer.roc_auc_score(positive, scores, sample_weight=weights)
    )
    assert average_precision(positive, scores, weights) == pytest.approx(
        peer.average_precision_score(positive, scores, sample_weight=weights)
    )


def test_samples_of_weight_0_do_not_count():
    positive, scores = np.array([True, False, False]), np.array([0.5, 0.4, 0.9])
    assert area_under_roc(positive, scores, np.array([1.0, 1.0, 0.0])) == 1.0
    assert area_under_roc(positive, scores, np.array([1.0, 0.0, 0.0])) is None
    assert average_precision(positive, scores, np.array([1.0, 1.0, 0.0])) == 1.0


def test_average_precision_by_hand():
    """The positives stand at ranks 1 and 3: the precisions there are 1 and 2/3."""
    positive, scores = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1])
    assert average_precision(positive, scores) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(np.zeros(4, bool), scores) is None
