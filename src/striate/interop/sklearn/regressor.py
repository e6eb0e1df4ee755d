"""Convolutional regressors as scikit-learn estimators."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from striate.data.dataset import Dataset
from striate.interop.sklearn.estimator import NUMBERS, Array, CNNEstimator, warn_of_column, weights_of
from striate.model import Model


class CNNRegressor(RegressorMixin, CNNEstimator):
    """A neural network regressor with the interface of scikit-learn.

    Parameters are those of `CNNClassifier` without ``class_weight``; the loss is the mean squared error by default.
    Targets are standardised for training; predictions are in the units of y.

    Attributes
    ----------
    model_ : Model
    history_ : History
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from striate.sklearn import CNNRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> bool(CNNRegressor(random_state=0).fit(X, y).score(X, y) > 0.4)
    True
    """

    model_: Model

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn must know: several targets are learnt together."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network.

        Parameters
        ----------
        X : array [N, D] or [N, C, *space]
            Rows of numbers; or signals, images or volumes, channels first.
        y : array [N] or [N, T]
        sample_weight : array [N], optional
        """
        self._fit(*self._data(X, y, sample_weight, first=True))
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one pass over some samples."""
        self._fit_more(*self._data(X, y, sample_weight, first=not hasattr(self, "_trainer")))
        return self

    def _data(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[Dataset, Array | None]:
        X, y = validate_data(self, X, y, reset=first, multi_output=True, y_numeric=True, **NUMBERS)
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            warn_of_column()
        self._is_single = y.ndim == 1 or y.shape[1] == 1
        targets = y.reshape(len(y), -1).astype(np.float32)
        return Dataset(self._inputs(X), targets, (), "X"), weights_of(sample_weight, X)

    def predict(self, X: Any) -> Array:
        """Return the numbers of each sample, float64[N] or float64[N, T]."""
        found = self._computed(self._checked(X), self.model_.predict).astype(np.float64)
        rows = found.reshape(len(found), math.prod(found.shape[1:]))
        return rows[:, 0] if self._is_single else rows
