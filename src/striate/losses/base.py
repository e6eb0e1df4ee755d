"""The base class of losses: targets, the meaning of outputs, weights of samples, and descriptions in files."""

from __future__ import annotations

import dataclasses
import math
from abc import ABCMeta, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np

from striate.data.dataset import Dataset
from striate.data.options import Task
from striate.errors import UsageError
from striate.layers.activation import SOFTMAXES
from striate.layers.arguments import choice
from striate.layers.base import Layer, Shape
from striate.losses.interpretation import CLASSES, Interpretation
from striate.network import Network

Array = np.ndarray
REDUCTIONS = ("mean", "sum")
TINY = float(np.finfo(np.float32).tiny)


class _ByName(ABCMeta):
    """Makes ``Loss("huber", delta=2)`` return the loss of that name."""

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        """Return a loss; the abstract ``Loss`` itself makes one by its name."""
        if cls is Loss:
            from striate.losses.registry import by_name

            return by_name(*arguments, **options)
        return super().__call__(*arguments, **options)


@dataclass(frozen=True)
class Loss(metaclass=_ByName):
    """A function that training minimises: a number for each sample, from outputs and target.

    ``Loss("huber", delta=2)`` makes the loss of that name, here ``Huber(delta=2)``. A loss of your own is a frozen
    dataclass that derives from one of the losses, or from this class, and defines ``name`` and ``reference``;
    ``losses.register`` lets files name it.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Whether a step follows the gradient of the mean over its batch, or of the sum.

    Attributes
    ----------
    name : str
        What files and the command line call it.
    task : {"classification", "regression"} or None
        What a column of whole numbers means to it: classes or numbers; None where it may be either.
    absorbs : tuple of layer types
        Last layers that the loss contains already; it takes the outputs before them.
    """

    name: ClassVar[str]
    task: ClassVar[Task | None] = None
    absorbs: ClassVar[tuple[type[Layer], ...]] = ()
    ending: ClassVar[Layer | None] = None
    """The last activation that networks built for this loss get in place of a Softmax."""
    wants: ClassVar[str | None] = "plain outputs"
    """The outputs that the loss needs, which a Softmax would hide; None if a Softmax does no harm."""
    scale_free: ClassVar[bool] = False
    """Whether targets may be standardised without changing their meaning."""
    divisible: ClassVar[bool] = False
    """Whether targets, which cannot be below 0, may be divided by a number without changing their meaning."""
    takes_class_numbers: ClassVar[bool] = False
    """Whether the engine passes class numbers; other losses get a number for each output."""
    smooths: ClassVar[bool] = False
    """Whether the loss has an option ``label_smoothing``."""

    reduction: str = field(default="mean", kw_only=True)

    def __post_init__(self) -> None:
        choice(self.reduction, f"{self.name}: reduction", REDUCTIONS)

    @staticmethod
    def of(loss: str | Mapping[str, Any] | Loss | type[Loss]) -> Loss:
        """Return the loss of that name or class without options, of that description, or ``loss`` itself."""
        if isinstance(loss, type):
            return Loss.from_description(loss.name)
        return loss if isinstance(loss, Loss) else Loss.from_description(loss)

    @staticmethod
    def from_description(description: str | Mapping[str, Any]) -> Loss:
        """Return the loss that ``describe`` wrote.

        Raises
        ------
        UsageError
            If there is no such loss, or it has no such option.
        """
        from striate.losses.registry import by_name

        if isinstance(description, str):
            return by_name(description)
        options = dict(description)
        if "name" not in options:
            raise UsageError(f"loss: needs a name; got the options {', '.join(options)}. Add one.")
        return by_name(options.pop("name"), **options)

    def describe(self) -> str | dict[str, Any]:
        """Return the name, or a dict of the name and the options that differ from the defaults (JSON types)."""
        changed: dict[str, Any] = {}
        for option in dataclasses.fields(self):
            value = getattr(self, option.name)
            if value != option.default:
                changed[option.name] = list(value) if isinstance(value, tuple) else value
        return {"name": self.name, **changed} if changed else self.name

    @property
    def title(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ").replace("cross entropy", "cross-entropy")

    # --- meaning

    @abstractmethod
    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return the loss of each sample, float64[N], and its gradient, float64[N, *shape].

        Parameters
        ----------
        outputs : float64[N, *shape]
            Before a last layer that the loss absorbs.
        targets : int64[N, *space] or float64[N, T, *space]
            As ``prepare`` returns them.
        """

    def prepare(self, targets: Array, shape: Shape) -> Array:
        """Return the targets of outputs of ``shape`` as the reference takes them: float64[N, *shape]."""
        return targets.reshape(len(targets), *shape).astype(np.float64)

    def kind(self, targets: Array, shape: Shape) -> str:
        """Return what targets mean for outputs of ``shape``: "classes", "labels" or "numbers"."""
        return CLASSES

    @abstractmethod
    def interpret(self, outputs: Array, last: Layer | None, kind: str) -> Interpretation:
        """Return what outputs mean.

        Parameters
        ----------
        outputs : float32[N, K, *space]
        last : Layer or None
            The network's last layer if the outputs went through it; None for those that the loss reads.
        kind : str
            What the targets were in training.
        """

    # --- checks

    @abstractmethod
    def check(self, network: Network, dataset: Dataset) -> None:
        """Raise a StriateError if the targets, or the number of the network's outputs, do not suit this loss."""

    def check_ending(self, network: Network) -> None:
        """Raise UsageError if the last layer turns outputs into something that the loss cannot use."""
        for name in (network.steps[-1].name, *network.auxiliary):
            layer = network.step(name).layer
            if self.wants and isinstance(layer, SOFTMAXES) and not isinstance(layer, self.absorbs):
                raise UsageError(
                    f"{network.name}: {self.name} needs {self.wants}; got {name}, a {type(layer).__name__}, at the "
                    "end. Leave this layer out."
                )

    def output_count(self, dataset: Dataset) -> int:
        """Return the number of outputs that a network needs for the targets of ``dataset``."""
        if np.issubdtype(dataset.targets.dtype, np.integer):
            return len(dataset.classes) or int(dataset.targets.max()) + 1
        return math.prod(dataset.targets.shape[1:])

    def reads(self, network: Network, output: str) -> str:
        """Return the value that the loss reads if ``output`` ends the network: the input of a layer it absorbs."""
        step = network.step(output)
        return step.inputs[0] if isinstance(step.layer, self.absorbs) else step.name

    # --- for the engine

    def target_count(self, shape: Shape) -> int:
        """Return the number of values in the target of a sample for outputs of ``shape``.

        Raises
        ------
        ShapeError
            If the loss cannot take such outputs.
        UsageError
            If its options do not fit that many outputs.
        """
        return math.prod(shape)

    def kernel(self, shape: Shape) -> str | None:
        """Return the kernel that computes it for outputs of ``shape``, "module.name".

        None, the default, runs it through its reference.
        """
        return None

    def kernel_constants(self, shape: Shape) -> tuple[int | str, ...]:
        """Return the constants for which the kernel is compiled."""
        return ()

    def numbers(self, shape: Shape) -> Array | None:
        """Return the kernel's ``numbers`` for outputs of ``shape``, float32; None if it takes none."""
        return None

    def tells_right(self, kind: str, shape: Shape) -> bool:
        """Return whether the engine counts correct answers during training."""
        return False

    # --- weights of samples

    def counts(self, targets: Array) -> Array:
        """Return the weight of each sample in a mean, float64[N]."""
        return np.ones(len(targets))

    def keeps(self, labels: Array) -> Array:
        """Return which labels (int64[N, *space]) are not ignored, bool of their shape."""
        return np.ones(labels.shape, bool)

    def counted(self, targets: Array) -> Array:
        """Return the share of each sample that counts, float64[N]: less than 1 where labels are ignored."""
        return np.ones(len(targets))

    @property
    def plain(self) -> bool:
        """Whether the loss of a batch is the plain mean over its samples."""
        return self.reduction == "mean"

    def sample_weights(self, targets: Array) -> Array:
        """Return the weight of each sample of a batch, float32[n], such that the loss is the mean over the batch.

        With the reduction "sum" each counts 1, or 0 if its labels are ignored.
        """
        here = (self.counted(targets) > 0).astype(np.float64)
        total = 1.0 if self.reduction == "sum" else max(float(self.counts(targets).sum()), TINY)
        return np.asarray(here / total, np.float32)

    def mean(self, losses: Array, targets: Array, weights: Array | None = None) -> float:
        """Return the weighted mean of the losses of samples (float64[N])."""
        counts = self.counts(targets)
        if weights is not None:
            losses, counts = losses * weights, counts * weights
        return float(np.sum(losses) / max(np.sum(counts), np.finfo(np.float64).tiny))

    # --- under augmentation and regularisation

    def smoothed(self, smoothing: float) -> Loss:
        """Return the loss with label smoothing; a loss without this option is returned for smoothed targets.

        Raises
        ------
        UsageError
            If its targets have no shares that could be smoothed.
        """
        return dataclasses.replace(self, **cast(Any, {"label_smoothing": smoothing})) if self.smooths else self

    def for_targets(self, targets: Array) -> Loss:
        """Return the loss with which a model trained with this loss is evaluated on such targets."""
        return self

    def for_shares(self) -> Loss:
        """Return the loss for targets blended by mixup; raises UsageError if there is none."""
        return self
