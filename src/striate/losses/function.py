"""Losses made of a function of outputs and targets that returns its gradient too."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import UsageError
from striate.layers.base import Shape
from striate.losses.base import Array
from striate.losses.regression import ErrorLoss
from striate.network import Network

Function = Callable[[Array, Array], tuple[Array, Array]]
STEP = 1e-5  # of the central difference
TOLERANCE = 1e-4  # of a slope, relative: truncation and rounding of the difference are below 1e-6


@dataclass(frozen=True)
class FunctionLoss(ErrorLoss):
    """A loss computed by a Python function; see `striate.losses.register`."""

    @staticmethod
    @abstractmethod
    def function(outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return the loss of each sample and its gradient."""

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return what the function returns, as float64.

        Raises
        ------
        UsageError
            If it is not a number for each sample, and a gradient in the shape of the outputs.
        """
        found = self.function(outputs, targets)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise UsageError(
                f"{self.name}: must return losses and gradient; got {type(found).__name__}. Return both."
            )
        losses, gradient = (np.asarray(values, np.float64) for values in found)
        for what, values, shape in (("losses", losses, outputs.shape[:1]), ("gradient", gradient, outputs.shape)):
            if values.shape != shape:
                raise UsageError(
                    f"{self.name}: {what} of outputs of shape {outputs.shape} must have the shape {shape}; got "
                    f"{values.shape}. Keep the axis of the samples."
                )
        return losses, gradient

    def kernel(self, shape: Shape) -> str | None:
        """Return None: there is no kernel, the function runs in Python."""
        return None

    def check(self, network: Network, dataset: Dataset) -> None:
        """Raise a StriateError as other losses do, or if the gradient is not that of the losses."""
        super().check(network, dataset)
        shape = network.step(self.reads(network, network.steps[-1].name)).shape
        targets = self.prepare(np.asarray(dataset.targets[:2]), shape)
        self._check_gradient(np.random.default_rng(0).normal(size=(len(targets), *shape)), targets)

    def _check_gradient(self, outputs: Array, targets: Array) -> None:
        """Compare the gradient with the difference of two losses, along a random direction."""
        direction = np.random.default_rng(1).normal(size=outputs.shape)
        gradient = self.reference(outputs, targets)[1]
        slopes = (gradient * direction).reshape(len(outputs), -1).sum(axis=1)
        low, high = (self.reference(outputs + sign * STEP * direction, targets)[0] for sign in (-1, 1))
        measured = (high - low) / (2 * STEP)
        size = np.abs(gradient * direction).reshape(len(outputs), -1).sum(axis=1) + np.abs(measured)
        for slope, difference, scale in zip(slopes, measured, size, strict=True):
            if abs(slope - difference) > TOLERANCE * scale:
                raise UsageError(
                    f"{self.name}: the gradient must be that of the losses; got the slope {slope:.6g} along a "
                    f"random direction, where the losses have {difference:.6g}. Check its sign and its factors."
                )


def loss_of(function: Function) -> type[FunctionLoss]:
    """Return a loss class made of a function, with its name.

    Raises
    ------
    UsageError
        If the function has no name.
    """
    name = getattr(function, "__name__", "")
    if not name.isidentifier():
        raise UsageError(f"loss: a function needs a name for use in files; got {name or function!r}. Use def.")
    space = {"name": name, "function": staticmethod(function), "__doc__": function.__doc__}
    return dataclass(frozen=True)(type(name, (FunctionLoss,), {**space, "__module__": function.__module__}))
