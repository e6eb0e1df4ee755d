"""Train a network: the loop, and everything it needs to know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.normalisation import Normalisation
from striate.data.splits import check_seed
from striate.errors import ShapeError, UsageError
from striate.layers.arguments import integer
from striate.model import Model
from striate.model.outputs import check_fit
from striate.network import Network
from striate.training.callbacks import Callback, as_callbacks
from striate.training.history import History
from striate.training.initialisation import initialise
from striate.training.loop import Job, run
from striate.training.losses import choose_loss
from striate.training.optimizers import Optimizer
from striate.training.optimizers import optimizer as optimizer_named
from striate.training.progress import Progress
from striate.training.schedules import Schedule, as_schedule


class Trainer:
    """Teaches a network.

    Parameters
    ----------
    network : Network or Model
        A model goes on from its parameters and keeps its normalisation.
    optimizer : str or Optimizer
    learning_rate : float or function of the step, optional
        A function gets the number of steps already taken. The optimizer's usual rate by default.
    loss : {"cross_entropy", "mean_squared_error"}, optional
        Chosen from the targets by default.
    batch_size : int
    seed : int
        Fixes the first parameters and the order of the samples.
    threads : int, optional
        The processor's by default; changes no bit of the result.
    initial : {"he", "glorot", "lecun"}
        How the weights begin.

    Attributes
    ----------
    model : Model
        The network with its present parameters.
    history : History
        Of all epochs so far.
    progress : Progress
        Where training stands.
    learning_rate_factor : float
        Multiplies the schedule; callbacks may change it.

    Raises
    ------
    UsageError
        If an argument cannot mean anything.
    """

    def __init__(
        self,
        network: Network | Model,
        *,
        optimizer: str | Optimizer = "adam",
        learning_rate: float | Schedule | None = None,
        loss: str | None = None,
        batch_size: int = 64,
        seed: int = 0,
        threads: int | None = None,
        initial: str = "he",
    ) -> None:
        self.optimizer = optimizer_named(optimizer)
        self.schedule = as_schedule(self.optimizer.learning_rate if learning_rate is None else learning_rate)
        self.batch_size = integer(batch_size, "batch size")
        self.seed = check_seed(seed)
        self.threads = None if threads is None else integer(threads, "threads")
        self.loss = loss
        self.model = network if isinstance(network, Model) else _new_model(network, initial, self.seed)
        self.model.threads = self.threads
        self.history = History()
        self.progress = Progress()
        self.learning_rate_factor = 1.0
        self.callbacks: list[Callback] = []
        self.session: Any = None
        self.session_key: tuple[Any, ...] = ()
        self._stop_reason: str | None = None

    @property
    def network(self) -> Network:
        """The network that learns."""
        return self.model.network

    def fit(
        self,
        train: Dataset,
        validation: Dataset | None = None,
        epochs: int = 10,
        callbacks: Callback | Iterable[Callback | Callable[..., Any]] = (),
    ) -> History:
        """Train for ``epochs`` further epochs; return the history of all epochs so far.

        Samples are shuffled anew in every epoch, depending on the seed and the epoch alone. The
        normalisation is learnt from ``train`` unless the model has one. Ctrl-C stops at the end of the
        step; the history is then marked as interrupted, and ``fit`` goes on when called again.

        Raises
        ------
        ShapeError
            If the data do not fit the network.
        DivergenceError
            If the loss becomes NaN or infinite; the model keeps its last good parameters.
        """
        epochs = integer(epochs, "epochs")
        loss = choose_loss(self.network, train, self.loss)
        if validation is not None:
            check_fit(self.network, validation, loss)
        self._prepare_model(train, loss)
        self.callbacks = as_callbacks(callbacks)
        self.progress.epochs = self.progress.epoch + epochs
        self._stop_reason = None
        run(self, Job(train, validation, loss))
        return self.history

    def stop(self, reason: str) -> None:
        """End training after this step or epoch; ``reason`` goes into the history."""
        self._stop_reason = reason

    @property
    def stop_reason(self) -> str | None:
        """Why training should end now, or None."""
        return self._stop_reason

    def _prepare_model(self, train: Dataset, loss: str) -> None:
        if train.classes:
            self._check_classes(train)
            self.model.classes = tuple(train.classes)
        if self.model.normalisation is None:
            self.model.normalisation = Normalisation.fit(train)

    def _check_classes(self, train: Dataset) -> None:
        outputs = int(np.prod(self.network.output_shape))
        if outputs != len(train.classes):
            raise ShapeError(
                f"{self.network.name}: {train.name} has {len(train.classes)} classes; got {outputs} outputs. "
                f"Build the network for {len(train.classes)} classes, or replace its head."
            )


def _new_model(network: Any, initial: str, seed: int) -> Model:
    if not isinstance(network, Network):
        raise UsageError(
            f"Trainer: needs a Network or a Model; got {type(network).__name__}. "
            "Build one with Sequential(layers, input_shape)."
        )
    theta, states = initialise(network, initial, seed)
    return Model(network, theta, states)
