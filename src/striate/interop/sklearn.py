"""Networks as estimators of scikit-learn: `CNNClassifier` and `CNNRegressor`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from striate.data.augmentation import Augmentation
from striate.data.dataset import Dataset
from striate.data.splits import choose
from striate.errors import StriateError
from striate.layers.base import Layer
from striate.losses import Loss
from striate.losses.choice import usual_loss
from striate.model import Model
from striate.models.registry import build
from striate.network import Network, Sequential
from striate.training import Optimizer, Regularisation, Trainer
from striate.training.callbacks import EarlyStopping
from striate.training.ending import with_ending
from striate.training.fine_tuning import with_outputs
from striate.training.optimizers.registry import from_description
from striate.training.run.recipes import Recipe, recipe

Array = np.ndarray
BATCH = 256
LEAST_ROWS = 64  # computed at once; so every sample goes through the same kernels whatever the number of samples
NetworkLike = Network | str | Sequence[Layer] | Callable[[tuple[int, ...], int], Network]


class _CNNEstimator(BaseEstimator):
    """What classifier and regressor share: from arrays to a trained `Model`."""

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
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.network = network
        self.input_shape = input_shape
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.regularisation = regularisation
        self.augmentation = augmentation
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn must know: images and signals are taken too."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _inputs(self, x: Array) -> Array:
        """Return samples as a network takes them, [N, C, *space]."""
        if self.input_shape is not None:
            if math.prod(self.input_shape) != math.prod(x.shape[1:]):
                raise ValueError(
                    f"input_shape: must have as many values as a sample of X, {math.prod(x.shape[1:])}; "
                    f"got {self.input_shape}."
                )
            return x.reshape(len(x), *self.input_shape)
        return x[:, :, np.newaxis] if x.ndim == 2 else x

    def _checked(self, x: Any) -> Array:
        """Return samples to predict on as a network takes them."""
        check_is_fitted(self, "model_")
        return self._inputs(validate_data(self, x, reset=False, **_NUMBERS))

    def _start(self, data: Dataset, schedule: str | None = None) -> tuple[Trainer, Recipe]:
        """Return a trainer for new data, and what suits them."""
        chosen = recipe(data, model=self.network if isinstance(self.network, str) else None)
        own = self.optimizer is None and self.network in (None, chosen.model)
        rate = chosen.learning_rate if own and self.learning_rate is None else self.learning_rate
        loss = usual_loss(data) if self.loss is None else Loss.of(self.loss)
        trainer = Trainer(
            self._network(data, loss, chosen),
            optimizer=from_description(chosen.optimizer) if self.optimizer is None else self.optimizer,
            learning_rate=rate,
            schedule=schedule or chosen.schedule,
            batch_size=chosen.batch_size if self.batch_size is None else self.batch_size,
            initial=chosen.initial,
            loss=loss,
            regularisation=self.regularisation,
            augmentation=self.augmentation,
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
            threads=None if self.n_jobs in (None, -1) else self.n_jobs,
        )
        return trainer, chosen

    def _network(self, data: Dataset, loss: Loss, chosen: Recipe) -> Network:
        """Return a new network for data and loss."""
        wanted, outputs = chosen.model if self.network is None else self.network, loss.output_count(data)
        if isinstance(wanted, Network):
            return wanted
        if callable(wanted):
            return wanted(data.sample_shape, outputs)
        if not isinstance(wanted, str):
            return Sequential(wanted, data.sample_shape)
        found = build(wanted, max(2, outputs), data.sample_shape)
        return with_ending(found if outputs > 1 else with_outputs(found, outputs), data, loss)

    def _fit(self, data: Dataset, weights: Array | None) -> None:
        """Train a new network."""
        try:
            trainer, chosen = self._start(data)
            epochs = chosen.epochs if self.epochs is None else self.epochs
            train, validation = data, None
            if self.early_stopping:
                strata = data.targets if data.classes else np.zeros(len(data), np.int64)
                held = choose(strata, None, self.validation_fraction, trainer.settings.seed, "X")
                train, validation = data.take(np.flatnonzero(~held)), data.take(np.flatnonzero(held))
                weights = None if weights is None else weights[~held]
            self.history_ = trainer.fit(
                train,
                validation,
                epochs=epochs,
                callbacks=[EarlyStopping()] if self.early_stopping else [],
                sample_weights=weights,
            )
        except StriateError as error:
            raise ValueError(str(error)) from error
        self.model_ = trainer.model
        self._trainer = trainer

    def _fit_more(self, data: Dataset, weights: Array | None) -> None:
        """Go once through the data."""
        try:
            if not hasattr(self, "_trainer"):
                self._trainer = self._start(data, "constant")[0]
            self.history_ = self._trainer.fit(data, epochs=1, sample_weights=weights)
        except StriateError as error:
            raise ValueError(str(error)) from error
        self.model_ = self._trainer.model

    def _computed(self, x: Array, compute: Callable[[Array, int], Array]) -> Array:
        """Return what a method of the model computes for samples."""
        rows = np.zeros((max(len(x), LEAST_ROWS), *x.shape[1:]), x.dtype)
        rows[: len(x)] = x
        return compute(rows, BATCH)[: len(x)]


_NUMBERS: dict[str, Any] = {"dtype": [np.float32, np.uint8], "allow_nd": True, "ensure_min_features": 1}


class CNNClassifier(ClassifierMixin, _CNNEstimator):
    """A network that tells classes apart, as an estimator of scikit-learn.

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
        """Go once through some samples; the first call needs all ``classes``."""
        data, weights = self._data(X, y, sample_weight, classes, first=not hasattr(self, "classes_"))
        self._fit_more(data, weights)
        return self

    def _data(
        self, X: Any, y: Any, sample_weight: Any, classes: Any, first: bool = True
    ) -> tuple[Dataset, Array | None]:
        X, y = validate_data(self, X, y, reset=first, **_NUMBERS)
        check_classification_targets(y)
        if first:
            self.classes_ = np.unique(y if classes is None else classes)
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__}: needs samples of at least 2 classes; got 1 class.")
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y: must be one of the classes {self.classes_}; got {unknown[0]}.")
        targets = np.searchsorted(self.classes_, y)
        weights = (
            None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        )
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
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, float64[N, K]."""
        shares = self._computed(self._checked(X), self.model_.predict_proba).astype(np.float64)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


class CNNRegressor(RegressorMixin, _CNNEstimator):
    """A network that predicts numbers, as an estimator of scikit-learn.

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
        """Go once through some samples."""
        self._fit_more(*self._data(X, y, sample_weight, first=not hasattr(self, "_trainer")))
        return self

    def _data(self, X: Any, y: Any, sample_weight: Any, first: bool) -> tuple[Dataset, Array | None]:
        X, y = validate_data(self, X, y, reset=first, multi_output=True, y_numeric=True, **_NUMBERS)
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            _warn_of_column()
        self._is_single = y.ndim == 1 or y.shape[1] == 1
        weights = (
            None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        )
        targets = y.reshape(len(y), -1).astype(np.float32)
        return Dataset(self._inputs(X), targets, (), "X"), weights

    def predict(self, X: Any) -> Array:
        """Return the numbers of each sample, float64[N] or float64[N, T]."""
        found = self._computed(self._checked(X), self.model_.predict).astype(np.float64)
        rows = found.reshape(len(found), math.prod(found.shape[1:]))
        return rows[:, 0] if self._is_single else rows


def _weights(sample_weight: Any, x: Array) -> Array | None:
    """Return what each sample counts, float64[N], or None if all count alike."""
    return None if sample_weight is None else _check_sample_weight(sample_weight, x, ensure_non_negative=True)


def _warn_of_column() -> None:
    import warnings

    from sklearn.exceptions import DataConversionWarning

    warnings.warn(
        "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,), "
        "for example using ravel().",
        DataConversionWarning,
        stacklevel=4,
    )
