"""Estimators for scikit-learn."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from striate.data import registry
from striate.layers import Conv2d, Flatten, Linear, ReLU
from striate.losses import Huber
from striate.models import lenet5
from striate.sklearn import CNNClassifier, CNNRegressor

EXPECTED = {"check_sample_weight_equivalence_on_dense_data": "float32 sums in another order are not equal to 1e-7"}


@parametrize_with_checks(
    [CNNClassifier(epochs=60), CNNRegressor(epochs=60)], expected_failed_checks=lambda estimator: EXPECTED
)
def test_conventions_of_scikit_learn(estimator, check):
    with np.errstate(all="ignore"):
        check(estimator)


@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
@pytest.mark.parametrize("kind", [CNNClassifier, CNNRegressor])
def test_whole_weights_in_full_batches_count_as_repeated_samples(kind, optimizer):
    rng = np.random.default_rng(0)
    x, y, weights = rng.random((30, 4)), rng.integers(0, 3, 30), rng.integers(0, 5, 30)
    settings = {"epochs": 20, "batch_size": 1024, "optimizer": optimizer, "learning_rate": 0.01, "random_state": 0}
    repeated = kind(**settings).fit(x.repeat(weights, axis=0), y.repeat(weights))
    weighted = kind(**settings).fit(x, y, sample_weight=7.0 * weights)
    plain = kind(**settings).fit(x, y)
    predict = "predict_proba" if kind is CNNClassifier else "predict"
    found, expected, other = (getattr(model, predict)(x) for model in (weighted, repeated, plain))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(other - expected).max() > 1e-3  # the weights make a difference


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_as_good_as_logistic_regression_by_default(load):
    x, y = load(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)
    found = CNNClassifier(random_state=0).fit(train_x, train_y).score(test_x, test_y)
    peer = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(train_x, train_y)
    assert found >= peer.score(test_x, test_y) - 0.03


def test_regressions_come_near_ridge_and_keep_the_units():
    x, y = load_diabetes(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.3, random_state=0)
    found = CNNRegressor(random_state=0).fit(train_x, train_y)
    assert found.score(test_x, test_y) > Ridge().fit(train_x, train_y).score(test_x, test_y) - 0.1
    assert abs(found.predict(train_x).mean() - train_y.mean()) < 10


def test_images_in_rows_or_in_their_own_shape():
    data = registry.load("digits").train
    x, y = data.inputs[:300], np.array(list("abcdefghij"))[data.targets[:300]]
    layers = [Conv2d(8, 3), ReLU(), Flatten(), Linear(10)]
    settings = {"network": layers, "epochs": 40, "random_state": 0}
    images = CNNClassifier(**settings).fit(x, y)
    rows = CNNClassifier(**settings, input_shape=(1, 8, 8)).fit(x.reshape(len(x), -1), y)
    assert images.score(x, y) > 0.9
    np.testing.assert_array_equal(images.predict_proba(x), rows.predict_proba(x.reshape(len(x), -1)))
    assert images.model_.predict(x[:1])[0] == np.searchsorted(images.classes_, images.predict(x[:1])[0])


def test_channels_that_come_last_need_the_shape():
    x, y = np.random.default_rng(0).normal(size=(40, 8, 9, 3)), np.arange(40) % 2
    with pytest.raises(ValueError, match=r"channels first; got .40, 8, 9, 3.\. Pass input_shape=.3, 8, 9.\.$"):
        CNNClassifier(epochs=1).fit(x, y)
    given = CNNClassifier("lenet5", input_shape=(3, 8, 9), epochs=1, random_state=0).fit(x, y)
    moved = CNNClassifier("lenet5", epochs=1, random_state=0).fit(np.moveaxis(x, -1, 1), y)
    np.testing.assert_array_equal(given.predict_proba(x), moved.predict_proba(np.moveaxis(x, -1, 1)))


def test_networks_by_name_function_and_object():
    data = registry.load("digits").train
    x, y = data.inputs[:100], data.targets[:100]
    for network in ("lenet5", lenet5(10, (1, 8, 8)), lambda shape, outputs: lenet5(outputs, shape)):
        assert CNNClassifier(network, epochs=1).fit(x, y).model_.network.name == "lenet5"


def test_pipelines_searches_and_calibration():
    x, y = load_iris(return_X_y=True)
    fast = CNNClassifier(epochs=30, random_state=0)
    assert cross_val_score(make_pipeline(StandardScaler(), fast), x, y, cv=3).mean() > 0.9
    search = GridSearchCV(fast, {"learning_rate": [1e-6, 1e-2]}, cv=2).fit(x, y)
    assert search.best_params_ == {"learning_rate": 1e-2}
    calibrated = CalibratedClassifierCV(fast, cv=2).fit(x, y)
    assert calibrated.predict_proba(x).shape == (150, 3)


def test_searches_in_two_processes():
    x, y = load_iris(return_X_y=True)
    chain = make_pipeline(StandardScaler(), CNNClassifier(epochs=20, random_state=0))
    search = GridSearchCV(chain, {"cnnclassifier__learning_rate": [1e-6, 1e-2]}, cv=2, n_jobs=2).fit(x, y)
    assert search.best_params_ == {"cnnclassifier__learning_rate": 1e-2}


def test_tables_keep_the_names_of_their_columns():
    pytest.importorskip("pandas")
    x, y = load_iris(return_X_y=True, as_frame=True)
    model = CNNClassifier(epochs=2, random_state=0).fit(x, y)
    assert list(model.feature_names_in_) == list(x.columns)
    with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
        model.predict(x[x.columns[::-1]])


def test_several_numbers_for_each_sample():
    x, y = make_regression(200, 6, n_targets=3, random_state=0)
    model = CNNRegressor(random_state=0).fit(x, y, sample_weight=np.ones(200))
    assert model.predict(x).shape == (200, 3)
    assert model.score(x, y) > 0.95


def test_copies_and_pickles():
    x, y = load_iris(return_X_y=True)
    model = CNNClassifier(epochs=5, random_state=3).fit(x, y)
    again = clone(model).fit(x, y)
    np.testing.assert_array_equal(model.predict_proba(x), again.predict_proba(x))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(x), model.predict_proba(x))


def test_learning_in_parts():
    x, y = load_iris(return_X_y=True)
    model = CNNClassifier(random_state=0)
    for _ in range(60):
        model.partial_fit(x, y, classes=[0, 1, 2])
    assert model.score(x, y) > 0.95
    with pytest.raises(ValueError, match=r"y: must be one of the classes \[0 1 2\]; got 7"):
        model.partial_fit(x, np.full(150, 7))


def test_weights_decide_what_is_learnt():
    x, y = np.zeros((40, 2)), np.array([0] * 30 + [1] * 10)
    for settings, weights in (({"class_weight": {0: 0.1}}, None), ({}, np.where(y == 0, 0.1, 1.0))):
        model = CNNClassifier("logistic_regression", epochs=80, random_state=0, **settings)
        assert model.fit(x, y, sample_weight=weights).predict(x[:1])[0] == 1
    balanced = CNNClassifier("logistic_regression", epochs=80, class_weight="balanced", random_state=0).fit(x, y)
    assert abs(balanced.decision_function(x[:1])[0]) < 0.1


def test_early_stopping_and_other_losses():
    x, y = load_diabetes(return_X_y=True)
    model = CNNRegressor(loss=Huber(0.5), epochs=500, early_stopping=True, random_state=0).fit(x, y)
    assert len(model.history_.records) < 500
    assert model.model_.loss == Huber(0.5)
    assert CNNClassifier(loss="hinge", epochs=20).fit(x[:, :2], y > 150).predict(x[:3, :2]).dtype == bool


def test_what_cannot_be_learnt():
    x = np.zeros((4, 3))
    with pytest.raises(TypeError, match="Sparse data was passed for X, but dense data is required"):
        CNNClassifier().fit(csr_array(x), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="needs samples of at least 2 classes; got 1 class"):
        CNNClassifier().fit(x, [1, 1, 1, 1])
    with pytest.raises(ValueError, match="input_shape: must have as many values as a sample of X, 3"):
        CNNClassifier(input_shape=(1, 2, 2)).fit(x, [0, 1, 0, 1])
    with pytest.raises(ValueError, match="loss: unknown name 'cross_entropie'"):
        CNNClassifier(loss="cross_entropie").fit(x, [0, 1, 0, 1])
