"""The inputs of one call of ``fit``, worked out before anything changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.data.dataset import Dataset
from striate.data.normalisation import Normalisation
from striate.errors import ShapeError, UsageError
from striate.layers.embedding import Embedding
from striate.losses import CLASSES, NUMBERS, Loss, is_labelled
from striate.model.fit import check_fit
from striate.model.target_units import fit_target_normalisation, standardise
from striate.network import Network
from striate.training.losses import Plan, choose_loss, metrics, plan_targets
from striate.training.state import TrainingState
from striate.training.weights import sample_weights


@dataclass(frozen=True, eq=False)
class Job:
    """The inputs of one call of ``fit``.

    Parameters
    ----------
    train, validation : Dataset
        With the targets that the network learns, in standard units where it learns such.
    kind : {"classes", "labels", "numbers"}
        What the targets are.
    loss : Loss
    plan : Plan
        How the engine gets the targets.
    normalisation, target_normalisation : Normalisation
        Of inputs and targets; None for targets that are learnt as they are.
    metrics : tuple of str
        Which of loss, accuracy, val_loss and val_accuracy the epochs will have.
    weights, validation_weights : float32[N], optional
        How much each sample counts.
    """

    train: Dataset
    validation: Dataset | None
    kind: str
    loss: Loss
    plan: Plan
    normalisation: Normalisation
    target_normalisation: Normalisation | None
    metrics: tuple[str, ...]
    weights: np.ndarray | None = None
    validation_weights: np.ndarray | None = None

    def begin(self, state: TrainingState) -> None:
        """Set the classes and units of the model from the data."""
        model = state.model
        model.classes = tuple(self.train.classes) or model.classes
        model.normalisation, model.target_normalisation = self.normalisation, self.target_normalisation
        state.metrics = self.metrics


def plan_job(
    state: TrainingState,
    train: Dataset,
    validation: Dataset | None,
    by_sample: np.ndarray | None,
    weighted_validation: bool,
) -> Job:
    """Return the job of a training with this data; nothing is changed.

    Raises
    ------
    ShapeError
        If the data do not fit the network.
    UsageError
        If a setting does not fit the data.
    """
    settings, network = state.settings, state.network
    loss = choose_loss(network, train, settings.loss, state.model.loss)
    if validation is not None:
        check_fit(network, validation, loss)
    kind = loss.kind(train.targets, network.output_shape)
    if train.classes:
        _check_classes(network, train, kind)
    if settings.sampling == "balanced" and not is_labelled(train.targets):
        raise UsageError(f"sampling: balanced needs class numbers; {train.name} has other targets.")
    if settings.augmentation is not None:
        settings.augmentation.check(train.sample_shape[1:])
    units, counts = state.model.target_normalisation, sample_weights(train, None, by_sample)
    if kind == NUMBERS and not is_labelled(train.targets):
        if settings.standardise_targets and state.progress.step == 0:
            units = fit_target_normalisation(network, train, loss, counts)
        if units is not None:
            train, validation = standardise(train, units), validation and standardise(validation, units)
    weighted = validation if weighted_validation else None
    return Job(
        train,
        validation,
        kind,
        loss,
        plan_targets(network, train, loss, settings.regularisation.label_smoothing, settings.augmentation),
        state.model.normalisation or _normalisation(network, train, counts),
        units,
        metrics(loss, kind, network.output_shape, validation is not None),
        sample_weights(train, settings.class_weights, by_sample),
        None if weighted is None else sample_weights(weighted, settings.class_weights, None),
    )


def _normalisation(network: Network, train: Dataset, counts: np.ndarray | None) -> Normalisation:
    """Return the normalisation of the training data; symbols, which an Embedding reads, stay as they are."""
    source = network.steps[0].name
    if any(isinstance(step.layer, Embedding) and source in step.inputs for step in network.steps):
        channels = train.sample_shape[0]
        return Normalisation((0.0,) * channels, (1.0,) * channels)
    return Normalisation.fit(train, counts)


def _check_classes(network: Network, train: Dataset, kind: str) -> None:
    outputs = network.output_shape[0]
    single = kind == CLASSES and outputs == 1 and len(train.classes) == 2
    if outputs != len(train.classes) and not single:
        raise ShapeError(
            f"{network.name}: needs one output for each of the {len(train.classes)} classes of {train.name}; "
            f"got {outputs}. Build the network for {len(train.classes)} classes, or replace its head (--new-head)."
        )
