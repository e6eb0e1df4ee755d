"""A network with its parameters and all that is needed to use it: what a user trains, saves and loads."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Dataset, readable
from striate.data.normalisation import Normalisation
from striate.engine.losses import Loss
from striate.errors import ShapeError, UsageError
from striate.layers.arguments import integer
from striate.layers.base import format_shape
from striate.layers.values import flag
from striate.model.evaluation import Evaluation, evaluation
from striate.model.fit import check_fit
from striate.model.outputs import (
    CLASSES,
    GAUSSIAN,
    LABELS,
    NUMBERS,
    ends_in_softmax,
    is_labelled,
    label_probabilities,
    moments,
    probabilities,
)
from striate.model.target_units import in_user_units, scale_variances, standardise
from striate.network import Network
from striate.storage import model_file

if TYPE_CHECKING:
    from striate.engine.channels.session import ChannelSession
    from striate.engine.pool import SessionPool
    from striate.engine.session import InferenceSession

BATCH_SIZE = 256


class Model:
    """A network that can predict.

    Parameters
    ----------
    network : Network
    theta : float32[parameter_count]
    states : float32[state_count], optional
        Running statistics; none for most networks.
    classes : sequence of str
        The name of each class; empty for regression.
    normalisation : Normalisation, optional
        What is done to raw inputs; nothing by default.
    target_normalisation : Normalisation, optional
        Mean and deviation of the targets of a regression whose network predicts standardised ones. ``outputs``
        are then standardised; what ``predict`` returns is in the user's units.
    metadata : mapping, optional
        How the model came to be (JSON types); saved with it.
    threads : int, optional
        For predictions; the processor's by default.
    winograd : bool
        Let 3x3 convolutions use Winograd's algorithm where it is faster; it rounds more (docs/engine.md).
    """

    def __init__(
        self,
        network: Network,
        theta: np.ndarray,
        states: np.ndarray | None = None,
        classes: Sequence[str] = (),
        normalisation: Normalisation | None = None,
        metadata: Mapping[str, Any] | None = None,
        threads: int | None = None,
        winograd: bool = True,
        target_normalisation: Normalisation | None = None,
    ) -> None:
        self.network = network
        self.theta = theta
        self.states = np.zeros(network.state_count, np.float32) if states is None else states
        self.classes = tuple(classes)
        self.normalisation, self.target_normalisation = normalisation, target_normalisation
        self.metadata = dict(metadata or {})
        self.threads = threads
        self.winograd = flag(winograd, "winograd")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample, (C, *space)."""
        return self.network.input_shape

    @property
    def theta(self) -> np.ndarray:
        """All learnt numbers, float32[parameter_count]; only a vector of the same length may replace it."""
        self._exposed = True
        return self._theta

    @theta.setter
    def theta(self, values: np.ndarray) -> None:
        self._theta = _vector(values, self.network.parameter_count, f"{self.network.name}: parameters")
        self._exposed = True

    @property
    def states(self) -> np.ndarray:
        """Running statistics, float32[state_count]; only a vector of the same length may replace it."""
        self._exposed = True
        return self._states

    @states.setter
    def states(self, values: np.ndarray) -> None:
        self._states = _vector(values, self.network.state_count, f"{self.network.name}: states")
        self._exposed = True

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Every learnt array by name, as views into ``theta``."""
        return self.network.views(self.theta)

    def outputs(self, x: np.ndarray, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Return what the network computes for raw samples: float32[N, *output_shape].

        Parameters
        ----------
        x : uint8 or float [N, *input_shape]
        batch_size : int
            Samples that are computed together; changes the speed alone.

        Raises
        ------
        ShapeError
            If the samples are not of the network's input shape.
        """
        x, size = self._samples(x), integer(batch_size, "batch size")
        room = np.empty((len(x), *self.network.output_shape), np.float32)
        if not len(x):
            return room
        with self._pool.lend(x.dtype, min(size, len(x)), self.threads, self.winograd) as session:
            self._prepare(session)
            for start in range(0, len(x), size):
                index = np.arange(start, min(start + size, len(x)))
                room[start : start + len(index)] = session.run(x, index)
        return room

    def predict_proba(self, x: np.ndarray, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Return the probability of each class, or label, for raw samples (as in ``outputs``): float32[N, K]."""
        outputs = self.outputs(x, batch_size)
        if self.kind == LABELS:
            return label_probabilities(self.network, outputs.reshape(len(outputs), -1))
        return probabilities(self.network, outputs, self.loss)

    def predict(self, x: np.ndarray, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Return the class number of each raw sample, int64[N].

        For labels that are on or off it is 1 or 0 for each, int64[N, T]; for a regression the numbers,
        float32[N, T], which are the means if the network gives variances too.
        """
        if self.kind == CLASSES:
            return self.predict_proba(x, batch_size).argmax(axis=1)
        if self.kind == LABELS:
            return (self.predict_proba(x, batch_size) >= 0.5).astype(np.int64)
        if self._is_gaussian:
            return self.predict_moments(x, batch_size)[0]
        outputs, units = self.outputs(x, batch_size), self.target_normalisation
        return outputs if units is None else units.invert(outputs)

    def predict_moments(self, x: np.ndarray, batch_size: int = BATCH_SIZE) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of each number for raw samples, float32[N, T] each.

        Raises
        ------
        UsageError
            If the model was not trained with the Gaussian negative log-likelihood.
        """
        if not self._is_gaussian:
            raise UsageError(
                f"{self.network.name}: variances come from a model trained with {GAUSSIAN}; got "
                f"{'one without a loss' if self.loss is None else self.loss.name}. Use predict."
            )
        means, variances = moments(self.outputs(x, batch_size))
        units = self.target_normalisation
        return (means, variances) if units is None else (units.invert(means), scale_variances(variances, units))

    @property
    def loss(self) -> Loss | None:
        """The loss that the model was trained with; None where that is not known."""
        found = self.metadata.get("loss_function")
        return None if found is None else Loss.from_description(found)

    @property
    def kind(self) -> str:
        """What the outputs stand for: "classes", "labels" that are on or off, or "numbers"."""
        usual = CLASSES if self.classes or ends_in_softmax(self.network) else NUMBERS
        return str(self.metadata.get("targets", usual))

    @property
    def is_classifier(self) -> bool:
        """Whether the outputs stand for classes."""
        return self.kind == CLASSES

    @property
    def _is_gaussian(self) -> bool:
        return self.loss is not None and self.loss.name == GAUSSIAN

    def evaluate(self, dataset: Dataset, batch_size: int = BATCH_SIZE) -> Evaluation:
        """Return loss, accuracy, confusion matrix and more on a data set of raw samples.

        The loss is the one that the model was trained with.

        Raises
        ------
        ShapeError
            If the data set does not fit the network.
        UsageError
            If its targets are none that the loss can be computed with.
        """
        loss = self._loss_of(dataset)
        check_fit(self.network, dataset, loss)
        outputs, units = self.outputs(dataset.inputs, batch_size), self.target_normalisation
        if units is None:
            return evaluation(self.network, outputs, dataset, self.classes, loss)
        found = evaluation(self.network, outputs, standardise(dataset, units), self.classes, loss)
        return in_user_units(found, dataset, units)

    def _loss_of(self, dataset: Dataset) -> Loss:
        labelled, own = is_labelled(dataset.targets), self.loss
        if own is None:
            return Loss("cross_entropy" if labelled and self.is_classifier else "mean_squared_error")
        return Loss("cross_entropy") if own.name == "soft_cross_entropy" and labelled else own

    def save(self, path: str | Path) -> Path:
        """Write the model as one ``.safetensors`` file, atomically; return where it is.

        Raises
        ------
        ModelFileError
            If the file cannot be written; what was there before stays as it was.
        """
        return model_file.save(path, self.contents())

    def to_onnx(self, path: str | Path, *, preprocessing: bool = True) -> Path:
        """Write the model as an ONNX file for other programs; return where it is.

        Parameters
        ----------
        preprocessing : bool
            Whether normalisation is part of the graph, which then takes raw samples as ``outputs`` does.

        Raises
        ------
        ModelFileError
            If a layer of your own has no translation, or the file cannot be written.
        """
        from striate.interop import onnx

        return onnx.save(self, path, preprocessing=preprocessing)

    def contents(self) -> model_file.Contents:
        """Return what a file of the model holds."""
        return model_file.Contents(
            self.network,
            self.theta,
            self.states,
            self.classes,
            self.normalisation,
            self.metadata,
            self.target_normalisation,
        )

    def _samples(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        if x.shape[1:] != self.input_shape:
            raise ShapeError(
                f"{self.network.name}: takes samples of {format_shape(self.input_shape)}, with the number of "
                f"samples before it; got {format_shape(x.shape)}. Resize or reshape them."
            )
        return np.ascontiguousarray(readable(x, f"{self.network.name}: samples"))

    @cached_property
    def _pool(self) -> SessionPool:
        from striate.engine.pool import SessionPool

        return SessionPool(self.network)

    def _prepare(self, session: InferenceSession | ChannelSession) -> None:
        """Bring a session up to date with the parameters and the normalisation.

        The arrays are compared with those of the session only while somebody else holds them, and may have
        changed them in place.
        """
        if self._exposed:
            self._version, self._exposed = object(), _is_held(self._theta) or _is_held(self._states)
        if session.version is not self._version:
            session.load(self._theta, self._states)
            session.version = self._version
        if session.normalisation is not self.normalisation and self.normalisation is not None:
            session.normalise(np.asarray(self.normalisation.mean), np.asarray(self.normalisation.scale))
            session.normalisation = self.normalisation

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in vars(self).items() if name not in ("_pool", "_version")}
        return {**kept, "_exposed": True}

    def __repr__(self) -> str:
        classes = f", {len(self.classes)} classes" if self.classes else ""
        return f"<Model {self.network.name!r}, {len(self.theta):,} parameters{classes}>"


def _is_held(array: np.ndarray) -> bool:
    """Return whether somebody else than the model, and the two calls that ask, holds ``array`` or a view of it."""
    return sys.getrefcount(array) > 3


def _vector(values: np.ndarray, count: int, what: str) -> np.ndarray:
    values = np.ascontiguousarray(values, np.float32)
    if values.shape != (count,):
        raise ShapeError(f"{what}: needs a vector of {count} numbers; got shape {list(values.shape)}.")
    return values if values.flags.owndata else values.copy()  # views count as references of the owner


def load(path: str | Path, threads: int | None = None, winograd: bool = True) -> Model:
    """Return the model of a file that ``Model.save`` or a checkpoint wrote.

    Everything the file says is checked before memory for tensors is taken, and a checksum is compared
    afterwards. No code comes from the file.

    Raises
    ------
    ModelFileError
        If the file is missing, truncated, damaged, of another kind, or disagrees with itself.
    """
    return from_contents(model_file.load(path), threads, winograd)


def from_contents(contents: model_file.Contents, threads: int | None = None, winograd: bool = True) -> Model:
    """Return the model that a file holds."""
    c = contents
    return Model(
        c.network,
        c.theta,
        c.states,
        c.classes,
        c.normalisation,
        c.metadata,
        threads,
        winograd,
        c.target_normalisation,
    )
