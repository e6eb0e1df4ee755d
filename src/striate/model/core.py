"""A network with its parameters and everything needed to use it: what a user trains, saves and loads."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.checks import flag
from striate.data.dataset import Dataset
from striate.data.given import dataset_of
from striate.data.normalisation import Normalisation
from striate.data.streaming import Stream, blocks
from striate.errors import DataError, UsageError
from striate.layers.activation import SOFTMAXES
from striate.layers.arguments import integer
from striate.losses import CLASSES, NUMBERS, Interpretation, Loss, usual_names
from striate.losses.choice import assumed_loss
from striate.model.evaluation import Evaluation, Metric, evaluation
from striate.model.fit import check_fit
from striate.model.predictor import Predictor
from striate.model.samples import raw_samples
from striate.model.target_units import in_user_units, numbers_in_user_units, of_outputs, standardise
from striate.model.vectors import Vectors
from striate.network import Network
from striate.network_description import without_last
from striate.storage import model_file

if TYPE_CHECKING:
    from striate.data.unlabelled import Unlabelled
    from striate.engine.inference_session import InferenceSession
    from striate.engine.pool import SessionPool

BATCH_SIZE = 256
MOST_SHOWN = 20  # names of outputs, in notebooks
PIXEL_SCALE = 50.0  # the scale of a normalisation is larger where samples are pixels from 0 to 255
Inputs = np.ndarray | str | Path | Sequence[str | Path]
"""Raw samples; the path of a picture, recording, table, folder, archive, or pattern of files; or a list of paths.

For a model of texts, strings in a list are the texts themselves.
"""


class Model(Vectors):
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
        super().__init__(network, theta, states)
        self.classes = _class_names(classes, network)
        self.normalisation, self.target_normalisation = normalisation, target_normalisation
        self.metadata = dict(metadata or {})
        self.threads = threads
        self.winograd = flag(winograd, "winograd")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample, (C, *space)."""
        return self.network.input_shape

    def outputs(self, x: Inputs, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Return what the network computes for raw samples: float32[N, *output_shape].

        Parameters
        ----------
        x : uint8 or float [N, *input_shape], path, or list of paths
            A path names pictures, recordings, a table, a folder, a ZIP file, or a pattern such as ``"*.jpg"``;
            `read` tells the name of each sample. In a list for a model of texts, strings are texts, not paths.
            Samples for an imported model may also have their channels last if they had them there.
        batch_size : int
            Samples that are computed together; changes the speed alone.

        Raises
        ------
        ShapeError
            If the samples are not of the network's input shape.
        """
        return self._computed(self._pool, x, batch_size)

    def read(
        self, path: str | Path, *, fit: str | None = None, invert: bool = False, step: float | None = None
    ) -> Unlabelled:
        """Return the samples of a file, folder, archive or pattern, with their names and the files left out.

        Parameters
        ----------
        path : path
            As the methods that predict take it.
        fit : {"stretch", "crop", "pad"}, optional
            How an image of another aspect ratio fits; as in training by default.
        invert : bool
            Swap light and dark in images: dark ink on light paper for a model of light strokes on black.
        step : float, optional
            Read long recordings and logs in windows, one every ``step`` seconds or rows; else their beginning.

        Returns
        -------
        Unlabelled
            With ``inputs`` (what ``predict`` takes), ``names``, ``bad_files`` and ``notes``.

        Raises
        ------
        DataError
            If nothing can be read.
        """
        from striate.model.reading import read_inputs

        return read_inputs(self, path, fit, invert, step)

    def scores(self, x: Inputs, batch_size: int = BATCH_SIZE, loss: Loss | None = None) -> np.ndarray:
        """Return what a loss reads of raw samples (as in ``outputs``), float32[N, *shape].

        These are the outputs, or the logits before a last Softmax, LogSoftmax or Sigmoid that the loss contains.

        Parameters
        ----------
        loss : Loss, optional
            The one that the model was trained with by default.
        """
        last = self.network.steps[-1].name
        absorbs = (loss or self._reading).reads(self.network, last) != last
        return self._computed(self._pool_without_last if absorbs else self._pool, x, batch_size)

    def interpret(self, outputs: np.ndarray) -> Interpretation:
        """Return the meaning of outputs: probabilities, predictions, numbers in the user's units, variances.

        Parameters
        ----------
        outputs : float32[N, *output_shape]
            As ``outputs`` returns them.
        """
        found = self._reading.interpret(outputs, self.network.steps[-1].layer, self.kind)
        units = self.target_normalisation
        return found if units is None or found.kind != NUMBERS else numbers_in_user_units(found, units)

    @property
    def output_units(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Scale and shift of each channel of ``outputs`` that give the user's units; None if they are in these."""
        units, shape = self.target_normalisation, self.network.output_shape
        if units is None or self.kind != NUMBERS:
            return None
        return of_outputs(self.interpret(np.zeros((1, *shape), np.float32)), units, shape[0])

    def predict_proba(self, x: Inputs, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Return the probability of each class, or label, for raw samples: float32[N, K, *space].

        Raises
        ------
        UsageError
            If the model predicts numbers.
        """
        return self.interpret(self.outputs(x, batch_size)).probabilities

    def predict(self, x: Inputs, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Return the class number of each raw sample, int64[N], or of each of its positions, int64[N, *space].

        For labels that are on or off it is 1 or 0 for each, int64[N, T]; for a regression the numbers,
        float32[N, T], which are the means if the network gives variances too.

        Parameters
        ----------
        x : uint8 or float [N, *input_shape], path, or list of paths
            As ``outputs`` takes it: ``"photo.jpg"``, ``["a.jpg", "b.jpg"]``, ``"table.csv"``, or an array.

        Raises
        ------
        DataError
            If a file of a list cannot be read, or an output is NaN or infinite, as it is for samples that are.
        """
        outputs = self.outputs(x, batch_size)
        if np.count_nonzero(np.isfinite(outputs)) != outputs.size:  # a microsecond less than with ``all``
            bad = int(np.argmin(np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)))
            raise DataError(
                f"{self.network.name}: sample {bad}: the outputs must be finite; got NaN or infinity. Check the "
                "sample, or the parameters."
            )
        return self.interpret(outputs).predictions

    def predict_moments(self, x: Inputs, batch_size: int = BATCH_SIZE) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of each number for raw samples, float32[N, T] each.

        Raises
        ------
        UsageError
            If the model was not trained with the Gaussian negative log-likelihood.
        """
        found = self.interpret(self.outputs(x, batch_size))
        if found.variances is None:
            raise UsageError(
                f"{self.network.name}: variances need a model trained with gaussian_negative_log_likelihood; got "
                f"{'one without a loss' if self.loss is None else self.loss.name}. Use predict."
            )
        return found.values, found.variances

    @property
    def loss(self) -> Loss | None:
        """The loss that the model was trained with; None if unknown."""
        found = self.metadata.get("loss_function")
        if found is None:
            return None
        if self._loss is None or self._loss[0] != found:
            self._loss = deepcopy(found), Loss.from_description(found)
        return self._loss[1]

    _loss: tuple[Any, Loss] | None = None  # the description of the loss, and the loss

    @property
    def kind(self) -> str:
        """What the outputs stand for: "classes", "labels" that are on or off, or "numbers"."""
        usual = CLASSES if self.classes or isinstance(self.network.steps[-1].layer, SOFTMAXES) else NUMBERS
        return str(self.metadata.get("targets", usual))

    @property
    def output_names(self) -> tuple[str, ...]:
        """The name of each class, label or number; "0", "label 1" and "target 1" are the first without names."""
        if self.classes:
            return self.classes
        meaning = self.interpret(np.zeros((1, *self.network.output_shape), np.float32))
        count = meaning.values.shape[1]
        names = tuple(map(str, self.metadata.get("target_names") or ())) if meaning.kind == NUMBERS else ()
        return names if len(names) == count else usual_names(meaning.kind, count)

    @property
    def is_classifier(self) -> bool:
        """Whether the outputs stand for classes."""
        return self.kind == CLASSES

    @property
    def predicts_maps(self) -> bool:
        """Whether the outputs stand for a class at each position, as in segmentation."""
        return self.is_classifier and len(self.network.output_shape) > 1

    @property
    def _reading(self) -> Loss:
        """The loss by which outputs are read."""
        return self.loss or assumed_loss(self.network, self.kind)

    def loss_for(self, targets: np.ndarray) -> Loss:
        """Return the loss for these targets: the one that the model was trained with.

        A model that knows none is taken for a classifier with the cross-entropy, or a regression with the
        mean squared error.
        """
        if self.loss is None and not np.issubdtype(targets.dtype, np.integer):
            return assumed_loss(self.network, NUMBERS)
        return self._reading.for_targets(targets)

    def evaluate(
        self,
        data: Any,
        targets: Any = None,
        *,
        batch_size: int = BATCH_SIZE,
        metrics: Mapping[str, Metric] | None = None,
    ) -> Evaluation:
        """Return loss, accuracy, confusion matrix and more on raw samples with their targets.

        The loss is the one that the model was trained with.

        Parameters
        ----------
        data : Dataset, or array [N, *shape]
        targets : array [N] or [N, T], optional
            Of the samples in an array: numbers of classes or their names, labels that are on or off, or numbers.
        batch_size : int
        metrics : mapping of str to function, optional
            Metrics of your own, by name: functions of outputs (probabilities, or numbers in the user's units) and
            targets, as ``Evaluation`` has them.

        Raises
        ------
        ShapeError
            If the data set does not fit the network.
        UsageError
            If there are no targets, or none that the loss can be computed with.
        """
        dataset = dataset_of(
            data if targets is None else (data, targets), "data", self.classes, self.input_shape, "evaluate"
        )
        loss = self.loss_for(dataset.targets)
        check_fit(self.network, dataset, loss)
        scores, units = self.scores(dataset.inputs, batch_size), self.target_normalisation
        if units is None:
            found = evaluation(scores, dataset, self.classes, loss)
        else:
            found = evaluation(scores, standardise(dataset, units), self.classes, loss)
            found = in_user_units(found, dataset, units)
        return found.with_metrics(metrics or {})

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
        """Return the contents of a file of the model."""
        return model_file.Contents(
            self.network,
            self.theta,
            self.states,
            self.classes,
            self.normalisation,
            self.metadata,
            self.target_normalisation,
        )

    def raw_samples(self, x: Inputs | Stream) -> Any:
        """Return contiguous samples, or a stream of them; raises ShapeError if they do not fit the network."""
        return raw_samples(self, x)

    def _computed(self, pool: SessionPool, x: Inputs | Stream, batch_size: int) -> np.ndarray:
        """Return the outputs of a pool's network for raw samples."""
        samples, size = self.raw_samples(x), integer(batch_size, "batch size")
        count = len(samples)
        self._expect_pixels(samples)
        if not count:
            return np.empty((0, *pool.network.output_shape), np.float32)
        with pool.lend(samples.dtype, min(size, count), self.threads, self.winograd) as session:
            self.prepare(session)
            if count <= size and isinstance(samples, np.ndarray):
                return session.first(samples, count)
            room = np.empty((count, *pool.network.output_shape), np.float32)
            parts = [np.arange(start, min(start + size, count)) for start in range(0, count, size)]
            for index, block, places in blocks(samples, parts):
                room[index[0] : index[-1] + 1] = session.run(block, places)
        return room

    def _expect_pixels(self, samples: np.ndarray | Stream) -> None:
        """Warn where a foreign model that turns pixels into what it needs gets them turned already."""
        known = self.normalisation
        if known is None or "origin" not in self.metadata or max(known.scale) < PIXEL_SCALE:
            return
        if isinstance(samples, np.ndarray) and samples.dtype.kind == "f" and 0 < samples.max(initial=0.0) <= 1:
            warnings.warn(
                f"{self.network.name}: takes pixels from 0 to 255; the samples are at most 1. Multiply them by "
                "255, or import the model without --pixels.",
                stacklevel=4,
            )

    @cached_property
    def _pool(self) -> SessionPool:
        from striate.engine.pool import SessionPool

        return SessionPool(self.network)

    @cached_property
    def _pool_without_last(self) -> SessionPool:
        """The sessions of the network without a last layer that a loss contains."""
        from striate.engine.pool import SessionPool

        return SessionPool(without_last(self.network))

    def for_size(self, *size: int) -> Model:
        """Return the model for inputs of another size, such as ``for_size(480, 640)``; see `other_size.for_size`.

        Raises
        ------
        ShapeError
            If a layer has other parameters at that size, or cannot be applied to it.
        """
        from striate.model.other_size import for_size

        return for_size(self, size)

    def quantise(self, calibration: Inputs | Dataset) -> Model:
        """Return the model with convolutions and fully connected layers that compute in 8-bit integers.

        Its file takes about a quarter of the space. Layers that have no such form, or would not be faster, stay in
        float32; ``metadata["quantisation"]`` names them with the reason. It cannot be trained further. See
        docs/int8.md.

        Parameters
        ----------
        calibration : uint8 or float [N, *input_shape], path or Dataset
            Raw samples like those to come, some hundred of them: their values decide what the whole numbers stand
            for. At most 512 are looked at.

        Raises
        ------
        UsageError
            If the model is quantised already, no layer would be faster, or there are no samples.
        ShapeError
            If the samples are not of the network's input shape.
        """
        from striate.model.quantisation import quantise

        return quantise(self, calibration)

    def predictor(self, batch_size: int = 1, dtype: Any = np.float32) -> Predictor:
        """Return a function that computes ``outputs`` of up to ``batch_size`` samples with the least overhead.

        It keeps the parameters of now, and takes contiguous samples of ``dtype``, uint8 or float32, alone.
        """
        return Predictor(self, batch_size, dtype)

    def prepare(self, session: InferenceSession) -> None:
        """Bring a session up to date with the parameters and the normalisation."""
        self.load_into(session)
        if session.normalisation is not self.normalisation and self.normalisation is not None:
            session.normalise(np.asarray(self.normalisation.mean), np.asarray(self.normalisation.scale))
            session.normalisation = self.normalisation

    def __repr__(self) -> str:
        classes = f", {len(self.classes)} classes" if self.classes else ""
        return f"<Model {self.network.name!r}, {len(self.theta):,} parameters{classes}>"

    def _repr_html_(self) -> str:
        """Return a summary of the model and its layers, for notebooks."""
        from striate.drawing.html import Markup, element
        from striate.drawing.notebook import shown

        names = self.output_names
        more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
        outputs = element("p", f"Predicts {self.kind}: {', '.join(names[:MOST_SHOWN])}{more}")
        return shown(outputs, Markup(self.network._repr_html_()))


def _class_names(classes: Sequence[str], network: Network) -> tuple[str, ...]:
    """Return the names of classes, checked as in a file."""
    names = tuple(classes) if isinstance(classes, Iterable) else (classes,)
    if not all(isinstance(name, str) for name in names):
        raise UsageError(f"{network.name}: classes: must be a list of names; got {classes!r}.")
    outputs = network.output_shape[0]
    if not model_file.fits(len(names), outputs):
        raise UsageError(
            f"{network.name}: classes: needs a name for each of {outputs} outputs; got {len(names)}. Leave them "
            "out to use numbers."
        )
    return names
