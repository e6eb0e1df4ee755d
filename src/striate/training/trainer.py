"""Train a network: what a training is made of, and its state between calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from striate.checks import flag
from striate.data.augmentation import Augmentation
from striate.data.dataset import Dataset
from striate.data.normalisation import Normalisation
from striate.data.splits import check_seed
from striate.engine.memory import check_room
from striate.errors import ShapeError, UsageError
from striate.layers.arguments import choice, integer, real
from striate.losses import CLASSES, NUMBERS, Loss, is_labelled
from striate.model import Model
from striate.model.fit import check_fit
from striate.model.target_units import fit_target_normalisation, standardise
from striate.network import Network
from striate.training import defaults
from striate.training.callbacks import Callback, as_callbacks
from striate.training.data_mark import data_mark
from striate.training.history import History
from striate.training.initialisation import initialise
from striate.training.loop import Job, run
from striate.training.losses import choose_loss, figures, plan_targets
from striate.training.optimizers import Optimizer, State
from striate.training.optimizers import optimizer as optimizer_named
from striate.training.progress import Progress
from striate.training.rates import parameter_rates
from striate.training.schedules import Schedule, schedule_arguments, stretched
from striate.training.settings.regularisation import Regularisation
from striate.training.weights import ClassWeights, sample_weights

FULL = "full"
SAMPLINGS = ("shuffled", "balanced")


class Trainer:
    """Teaches a network.

    Parameters
    ----------
    network : Network or Model
        A model goes on from its parameters and keeps its normalisation.
    optimizer : str or Optimizer
    learning_rate : float or function of the step, optional
        The largest rate, by default the optimizer's usual one; or a function of the number of steps already
        taken, which then is the whole schedule.
    schedule : str or mapping
        How the rate changes over a call of ``fit``: a name of ``striate.training.schedules.ARGUMENTS``, or
        ``name`` and arguments. A further call begins anew.
    loss : str or Loss, optional
        One of ``striate.training.losses.LOSSES`` by name, or a ``Loss`` with options; chosen from the targets by
        default.
    auxiliary_weight : float
        What the losses of a network's auxiliary outputs count beside that of its output (Szegedy et al., 2015,
        section 5: 0.3). Their layers are left out when the network is evaluated.
    batch_size : int or "full"
        "full" takes all samples for every step.
    seed : int
        Fixes the first parameters, the order of the samples and every other random number.
    threads : int, optional
        The processor's by default; changes no bit of the result.
    winograd : bool
        Let 3x3 convolutions use Winograd's algorithm where it is faster; it rounds more (docs/engine.md).
    initial : {"glorot", "he", "lecun"}
        How the weights begin.
    regularisation : Regularisation, optional
    class_weights : "balanced", mapping or sequence of float, optional
        How much each class counts in the loss.
    sampling : {"shuffled", "balanced"}
        Each sample once in an epoch, or as many samples of each class.
    freeze : patterns
        Parameters that stay as they are, such as ``"conv*"``.
    rates : mapping of patterns to factors
        Parameters that learn at a multiple of the learning rate, such as ``{"conv*": 0.1}``.
    augmentation : Augmentation, optional
        Random changes of the training samples, drawn anew in every epoch.
    standardise_targets : bool
        Let a new network learn regression targets of mean 0 and deviation 1, whatever their units; the model
        predicts in the user's units. Losses are those of the standardised targets. A network whose last layer
        is an activation learns targets as they are.

    Attributes
    ----------
    model : Model
        The network with its parameters; up to date after every epoch, and after ``synchronise``.
    history : History
        Of all epochs so far.
    progress : Progress
        Where training stands.
    learning_rate_factor : float
        Multiplies the schedule; callbacks may change it.
    figures : tuple of str
        Which of loss, accuracy, val_loss and val_accuracy the epochs of the last call of ``fit`` have.

    Raises
    ------
    UsageError
        If an argument cannot mean anything.
    """

    def __init__(
        self,
        network: Network | Model,
        *,
        optimizer: str | Optimizer = defaults.OPTIMIZER,
        learning_rate: float | Schedule | None = None,
        schedule: str | Mapping[str, Any] = defaults.SCHEDULE,
        loss: str | Loss | None = None,
        auxiliary_weight: float = defaults.AUXILIARY_WEIGHT,
        batch_size: int | str = defaults.BATCH_SIZE,
        seed: int = 0,
        threads: int | None = None,
        winograd: bool = True,
        initial: str = defaults.INITIAL,
        regularisation: Regularisation | None = None,
        class_weights: ClassWeights | None = None,
        sampling: str = "shuffled",
        freeze: Iterable[str] = (),
        rates: Mapping[str, float] | None = None,
        augmentation: Augmentation | None = None,
        standardise_targets: bool = True,
    ) -> None:
        self.optimizer = optimizer_named(optimizer)
        self.learning_rate = self.optimizer.learning_rate if learning_rate is None else learning_rate
        self.schedule_arguments = schedule_arguments(schedule)
        self.schedule = stretched(self.learning_rate, self.schedule_arguments, 1, 1)
        self.batch_size = FULL if batch_size == FULL else integer(batch_size, "batch size")
        self.seed = check_seed(seed)
        self.threads = None if threads is None else integer(threads, "threads")
        self.loss = loss if loss is None else Loss.of(loss)
        self.auxiliary_weight = real(auxiliary_weight, "auxiliary weight", above=0, closed=True)
        self.regularisation = regularisation or Regularisation()
        self.class_weights = class_weights
        self.augmentation = augmentation
        self.sampling = choice(sampling, "sampling", SAMPLINGS)
        self._standardises = flag(standardise_targets, "standardise_targets") and not isinstance(network, Model)
        self.model = network if isinstance(network, Model) else _new_model(network, initial, self.seed)
        self.factors = parameter_rates(self.network, rates or {}, freeze)
        self.model.threads, self.model.winograd = self.threads, flag(winograd, "winograd")
        self.moments = _zero_moments(self.network.parameter_count)
        self.history = History()
        self.progress = Progress()
        self.learning_rate_factor = 1.0
        self.callbacks: list[Callback] = []
        self.stop_reason: str | None = None
        self.session: Any = None
        self.session_key: tuple[Any, ...] = ()
        self.restored: dict[str, Any] = {}
        self.data_mark: dict[str, Any] | None = None
        self.figures: tuple[str, ...] = ()

    @property
    def network(self) -> Network:
        """The network that learns."""
        return self.model.network

    def fit(
        self,
        train: Dataset,
        validation: Dataset | None = None,
        epochs: int | None = defaults.EPOCHS,
        callbacks: Callback | Iterable[Callback | Callable[..., Any]] = (),
        *,
        sample_weights: np.ndarray | None = None,
        weighted_validation: bool = False,
    ) -> History:
        """Train for ``epochs`` further epochs; return the history of all epochs so far.

        Samples are shuffled anew in every epoch, depending on the seed and the epoch alone. The
        normalisation is learnt from ``train`` unless the model has one. Ctrl-C stops at the end of the
        step; the history is then marked as interrupted, and ``fit(..., epochs=None)`` goes on.

        Parameters
        ----------
        train, validation : Dataset
        epochs : int or None
            None goes on to where the call that was interrupted, or restored, wanted to end.
        callbacks : Callback, function of an epoch's record, or several of them
        sample_weights : float[N], optional
            How much each sample of ``train`` counts.
        weighted_validation : bool
            Let class weights count in the figures of the validation part too.

        Raises
        ------
        ShapeError
            If the data do not fit the network.
        DivergenceError
            If the loss becomes NaN or infinite; the model keeps its last good parameters.
        """
        job = self._job(train, validation, sample_weights, weighted_validation)
        self._check_data(train, anew=epochs is not None)
        self.callbacks = as_callbacks(callbacks)
        for callback in self.callbacks:
            callback.check(self)
        if epochs is not None:
            self.progress.plan(integer(epochs, "epochs"))
        self.schedule = self._stretched(len(train))
        if epochs is not None or self.history.interrupted:
            self.stop_reason = None
        self._restore_callbacks()
        run(self, job)
        return self.history

    def _stretched(self, samples: int) -> Schedule:
        """Return the schedule over the epochs of this call of ``fit``."""
        progress, size = self.progress, samples if self.batch_size == FULL else int(self.batch_size)
        epochs = max(1, progress.epochs - progress.first_epoch)
        return stretched(
            self.learning_rate, self.schedule_arguments, -(-samples // size), epochs, progress.first_step
        )

    def check(
        self,
        train: Dataset,
        validation: Dataset | None = None,
        *,
        sample_weights: np.ndarray | None = None,
        weighted_validation: bool = False,
    ) -> None:
        """Raise what ``fit`` would raise for these data, before anything is learnt or written."""
        self._job(train, validation, sample_weights, weighted_validation)

    def stop(self, reason: str) -> None:
        """End training after this step or epoch; ``reason`` goes into the history."""
        self.stop_reason = reason

    def synchronise(self) -> None:
        """Bring ``model`` and ``moments`` up to date in the middle of an epoch."""
        if self.session is None:
            return
        vectors, count = self.session.vectors, self.network.parameter_count
        self.model.theta[:] = vectors.theta[:count]
        for name, vector in vectors.optimizer.items():
            getattr(self.moments, name)[:] = vector[:count]
        if self.network.state_count:
            self.model.states[:] = vectors.states[: self.network.state_count]

    def publish(self) -> None:
        """Let training go on from ``model`` and ``moments`` as they are now."""
        if self.session is None:
            return
        vectors, count = self.session.vectors, self.network.parameter_count
        vectors.theta[:count] = self.model.theta
        for name, vector in vectors.optimizer.items():
            vector[:count] = getattr(self.moments, name)
        if self.network.state_count:
            vectors.states[: self.network.state_count] = self.model.states

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what holds addresses, or functions made here; ``fit`` makes both again."""
        self.synchronise()
        return {**vars(self), "session": None, "session_key": (), "schedule": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.schedule = stretched(self.learning_rate, self.schedule_arguments, 1, 1)

    def save_checkpoint(self, path: str | Path) -> Path:
        """Write the model with everything that training needs to go on bit for bit; return the path.

        Raises
        ------
        ModelFileError
            If the file cannot be written; what was there before stays as it was.
        """
        from striate.training.checkpoint import save_checkpoint

        return save_checkpoint(self, path)

    def restore(self, path: str | Path) -> None:
        """Take the place of the training that wrote a checkpoint; then ``fit(..., epochs=None)`` goes on.

        Raises
        ------
        ModelFileError
            If the file is not a usable checkpoint.
        UsageError
            If it belongs to a training with other settings.
        """
        from striate.training.checkpoint import restore

        restore(self, path)

    def _job(self, train: Dataset, validation: Dataset | None, by_sample: np.ndarray | None, weighted: bool) -> Job:
        loss = choose_loss(self.network, train, self.loss, self.model.loss)
        if validation is not None:
            check_fit(self.network, validation, loss)
        kind = loss.kind(train.targets, self.network.output_shape)
        if train.classes:
            _check_classes(self.network, train, kind)
            self.model.classes = tuple(train.classes)
        if kind == NUMBERS and loss.scale_free and not is_labelled(train.targets):
            train, validation = self._in_standard_units(train, validation)
        weights = sample_weights(train, self.class_weights, by_sample)
        validation_weights = None
        if weighted and validation is not None:
            validation_weights = sample_weights(validation, self.class_weights, None)
        if self.model.normalisation is None:
            self.model.normalisation = Normalisation.fit(train)
        if self.sampling == "balanced" and not is_labelled(train.targets):
            raise UsageError(f"sampling: balanced needs class numbers; {train.name} has other targets.")
        plan = plan_targets(self.network, train, loss, self.regularisation.label_smoothing, self.augmentation)
        self.figures = figures(loss, train, kind, self.network.output_shape, validation is not None)
        return Job(train, validation, kind, loss, plan, weights, validation_weights)

    def _in_standard_units(self, train: Dataset, validation: Dataset | None) -> tuple[Dataset, Dataset | None]:
        """Return the data with the targets that the network learns; their units are found before the first step."""
        if self._standardises and self.progress.step == 0:
            self.model.target_normalisation = fit_target_normalisation(self.network, train)
        units = self.model.target_normalisation
        if units is None:
            return train, validation
        return standardise(train, units), validation and standardise(validation, units)

    def _check_data(self, train: Dataset, anew: bool) -> None:
        """Remember the data; raises UsageError if a training would go on with others."""
        mark = data_mark(train)
        if not anew and self.data_mark not in (None, mark):
            raise UsageError(
                f"{train.name}: a training goes on with the data it began with; these samples or targets differ. "
                "Give the same data, or a number of epochs to go on with new ones."
            )
        self.data_mark = mark

    def _restore_callbacks(self) -> None:
        for callback in self.callbacks:
            if callback.name in self.restored:
                callback.restore(self.restored.pop(callback.name))


def _new_model(network: Any, initial: str, seed: int) -> Model:
    if not isinstance(network, Network):
        raise UsageError(
            f"Trainer: needs a Network or a Model; got {type(network).__name__}. "
            "Build one with Sequential(layers, input_shape)."
        )
    check_room(network, 1, 4 * network.parameter_count)
    theta, states = initialise(network, initial, seed)
    return Model(network, theta, states)


def _zero_moments(count: int) -> State:
    return State(np.zeros(count, np.float32), np.zeros(count, np.float32))


def _check_classes(network: Network, train: Dataset, kind: str) -> None:
    outputs = network.output_shape[0]
    single = kind == CLASSES and outputs == 1 and len(train.classes) == 2
    if outputs != len(train.classes) and not single:
        raise ShapeError(
            f"{network.name}: needs one output for each of the {len(train.classes)} classes of {train.name}; "
            f"got {outputs}. Build the network for {len(train.classes)} classes, or replace its head."
        )
