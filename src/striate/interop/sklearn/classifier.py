"""Convolutional classifiers as scikit-learn estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from striate.data.augmentation import Augmentation
from striate.data.dataset import Dataset
from striate.interop.sklearn.estimator import NUMBERS, Array, CNNEstimator, NetworkLike, weights_of
from striate.losses import Loss
from striate.model import Model
from striate.training import Optimizer, Regularisation


class CNNClassifier(ClassifierMixin, CNNEstimator):
    """A neural network classifier with the interface of scikit-learn.

    Parameters
    ----------
    network : Network, name, layers or function, optional
        A function gets the shape of a sample and the number of outputs and returns a Network. By default a
        multilayer perceptron for rows of numbers, and a convolutional network for signals, images and volumes, as
        ``striate train`` chooses them.
    input_shape : tuple of int, optional
        (channels, *space): what a row of X stands for, such as ``(1, 28, 28)``.
    loss : str or Loss, optional
        The cross-entropy by default.
    epochs, batch_size, optimizer, learning_rate : optional
        As those of `Trainer`; what suits the data by default.
    regularisation : Regularisation, optional
    augmentation : Augmentation, optional
    early_stopping : bool
        Hold out ``validation_fraction`` of the samples and stop when their loss no longer falls.
    validation_fraction : float
    class_weight : "balanced" or dict, optional
        How much each class counts.
    n_jobs : int, optional
        Threads; all cores by default. The result does not depend on it.
    random_state : int, RandomState or None

    Attributes
    ----------
    classes_ : ndarray
    model_ : Model
        The trained model, to save, explain or export.
    history_ : History
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from striate.sklearn import CNNClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> bool(CNNClassifier(random_state=0).fit(X, y).score(X, y) > 0.95)
    True
    """

    classes_: Array
    model_: Model

    def __init__(
        self,
        network: NetworkLike | None = None,
        *,
        input_shape: tuple[int, ...] | None = None,
        loss: str | Loss | None = None,
        epochs: int | None = None,
        batch_size: int | str | None = None,
        optimizer: str | Optimizer | None = None,
        learning_rate: float | None = None,
        regularisation: Regularisation | None = None,
        augmentation: Augmentation | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        class_weight: str | Mapping[Any, float] | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            network,
            input_shape=input_shape,
            loss=loss,
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=learning_rate,
            regularisation=regularisation,
            augmentation=augmentation,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_jobs=n_jobs,
            random_state=random_state,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network.

        Parameters
        ----------
        X : array [N, D] or [N, C, *space]
            Rows of numbers; or signals, images or volumes, channels first.
        y : array [N]
        sample_weight : array [N], optional
        """
        data, weights = self._data(X, y, sample_weight, None)
        self._fit(data, weights)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over some samples; the first call needs all ``classes``."""
        data, weights = self._data(X, y, sample_weight, classes, first=not hasattr(self, "classes_"))
        self._fit_more(data, weights)
        return self

    def _data(
        self, X: Any, y: Any, sample_weight: Any, classes: Any, first: bool = True
    ) -> tuple[Dataset, Array | None]:
        X, y = validate_data(self, X, y, reset=first, **NUMBERS)
        check_classification_targets(y)
        if first:
            self.classes_ = np.unique(y if classes is None else classes)
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__}: needs samples of at least 2 classes; got 1 class.")
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y: must be one of the classes {self.classes_}; got {unknown[0]}.")
        targets = np.searchsorted(self.classes_, y)
        weights = weights_of(sample_weight, X)
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y)
            weights = by_class if weights is None else weights * by_class
        names = tuple(map(str, self.classes_.tolist()))
        return Dataset(self._inputs(X), targets, names, "X"), weights

    def decision_function(self, X: Any) -> Array:
        """Return the score of each class, float64[N, K]; for two classes one of the second, float64[N]."""
        scores = self._computed(self._checked(X), self.model_.scores).astype(np.float64)
        if scores.shape[1] == 1:
            return scores[:, 0]
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> Array:
        """Return the class of each sample."""
        scores = self.decision_function(X)
        return np.asarray(self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)])

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, float64[N, K]."""
        shares = self._computed(self._checked(X), self.model_.predict_proba).astype(np.float64)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))
