"""Negative log-likelihoods of numbers: the network predicts the parameters of their distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.data.dataset import Dataset
from striate.data.options import Task
from striate.errors import DataError, ShapeError
from striate.layers.base import Layer, Shape
from striate.losses.base import Array, Loss
from striate.losses.interpretation import NUMBERS, Interpretation
from striate.losses.targets import are_numbers_of_classes, check_numbers, refuse_classes
from striate.network import Network
from striate.reference import regression_loss as definitions


@dataclass(frozen=True)
class GaussianNegativeLogLikelihood(Loss):
    """Of normal distributions; see ``reference.regression_loss.gaussian_negative_log_likelihood``.

    The network gives the means of all numbers, then the logarithms of their variances.
    """

    name: ClassVar[str] = "gaussian_negative_log_likelihood"
    task: ClassVar[Task | None] = "regression"
    scale_free: ClassVar[bool] = True

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return ``reference.regression_loss.gaussian_negative_log_likelihood``."""
        return definitions.gaussian_negative_log_likelihood(outputs, targets)

    def prepare(self, targets: Array, shape: Shape) -> Array:
        """Return the numbers, half as many as outputs."""
        return targets.reshape(len(targets), shape[0] // 2, *shape[1:]).astype(np.float64)

    def kind(self, targets: Array, shape: Shape) -> str:
        """Return "numbers"."""
        return NUMBERS

    def interpret(self, outputs: Array, last: Layer | None, kind: str) -> Interpretation:
        """Return means and variances."""
        count = outputs.shape[1] // 2
        return Interpretation(kind, outputs[:, :count], np.exp(outputs[:, count:]))

    def check(self, network: Network, dataset: Dataset) -> None:
        """Raise a StriateError unless there are two outputs for each number."""
        if are_numbers_of_classes(dataset.targets) and dataset.classes:
            raise refuse_classes(self, dataset, "numbers")
        check_numbers(network, dataset, outputs_each=2, meaning="a mean and a logarithm of a variance for each")

    def output_count(self, dataset: Dataset) -> int:
        """Return two for each number."""
        return 2 * math.prod(dataset.targets.shape[1:])

    def target_count(self, shape: Shape) -> int:
        """Return half the number of outputs; raises ShapeError if it is odd."""
        if shape[0] % 2:
            raise ShapeError(
                f"{self.name}: needs a mean and a logarithm of a variance for each target; "
                f"got {shape[0]} outputs. Use an even number."
            )
        return math.prod(shape) // 2

    def kernel(self, shape: Shape) -> str:
        """Return the kernel."""
        return "regression_loss.gaussian_negative_log_likelihood"


@dataclass(frozen=True)
class PoissonNegativeLogLikelihood(Loss):
    """Of counts; see ``reference.regression_loss.poisson_negative_log_likelihood``.

    The network gives the logarithm of the expected count; predictions are the expected counts.
    """

    name: ClassVar[str] = "poisson_negative_log_likelihood"
    divisible: ClassVar[bool] = True
    task: ClassVar[Task | None] = "regression"

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return ``reference.regression_loss.poisson_negative_log_likelihood``."""
        return definitions.poisson_negative_log_likelihood(outputs, targets)

    def kind(self, targets: Array, shape: Shape) -> str:
        """Return "numbers"."""
        return NUMBERS

    def interpret(self, outputs: Array, last: Layer | None, kind: str) -> Interpretation:
        """Return the expected counts."""
        with np.errstate(over="ignore"):
            return Interpretation(kind, np.exp(outputs), logarithms=True)

    def check(self, network: Network, dataset: Dataset) -> None:
        """Raise a StriateError unless targets are counts, one for each output."""
        if are_numbers_of_classes(dataset.targets) and dataset.classes:
            raise refuse_classes(self, dataset, "counts")
        values = check_numbers(network, dataset)
        if (values < 0).any():
            raise DataError(
                f"{dataset.name}: {self.name} needs counts of at least 0; got {values.min():g}. Use another loss."
            )

    def output_count(self, dataset: Dataset) -> int:
        """Return one for each count."""
        return math.prod(dataset.targets.shape[1:])

    def kernel(self, shape: Shape) -> str:
        """Return the kernel."""
        return "regression_loss.poisson_negative_log_likelihood"
