"""Shared by the estimators: from arrays to a trained model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from striate.data.augmentation import Augmentation
from striate.data.dataset import Dataset
from striate.data.layout import COLOURS
from striate.data.splits import choose
from striate.errors import StriateError
from striate.layers.base import Layer
from striate.losses import Loss
from striate.losses.choice import usual_loss
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


class CNNEstimator(BaseEstimator):
    """Base of classifier and regressor: from arrays to a trained `Model`."""

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
            if x.ndim > 2 and x.shape[1:] != tuple(self.input_shape) == (x.shape[-1], *x.shape[1:-1]):
                return np.moveaxis(x, -1, 1)
            return x.reshape(len(x), *self.input_shape)
        if x.ndim == 4 and x.shape[-1] in COLOURS and x.shape[1] not in COLOURS:
            shape = x.shape[-1], *x.shape[1:-1]
            raise ValueError(f"X: images have their channels first; got {x.shape}. Pass input_shape={shape}.")
        return x[:, :, np.newaxis] if x.ndim == 2 else x

    def _checked(self, x: Any) -> Array:
        """Return samples to predict on as a network takes them."""
        check_is_fitted(self, "model_")
        return self._inputs(validate_data(self, x, reset=False, **NUMBERS))

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
        """Train for one pass over the data."""
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


NUMBERS: dict[str, Any] = {"dtype": [np.float32, np.uint8], "allow_nd": True, "ensure_min_features": 1}


def weights_of(sample_weight: Any, x: Array) -> Array | None:
    """Return the weight of each sample, float64[N], 1 on average; or None if all count equally."""
    if sample_weight is None:
        return None
    weights: Array = _check_sample_weight(sample_weight, x, ensure_non_negative=True)
    total = weights.sum()
    return weights * (len(weights) / total) if total > 0 else weights


def warn_of_column() -> None:
    """Warn as scikit-learn does where y is a column."""
    import warnings

    from sklearn.exceptions import DataConversionWarning

    warnings.warn(
        "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,), "
        "for example using ravel().",
        DataConversionWarning,
        stacklevel=4,
    )
