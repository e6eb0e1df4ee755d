"""What one value of a layer is made of: terms, constants, and the function applied to their sum."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.layers.base import Layer

Index = tuple[int, ...]
OUTSIDE = -1


@dataclass(frozen=True, eq=False)
class Cell:
    """One value of one layer, and all that it can depend on; arrays of one sample, without the batch axis.

    Parameters
    ----------
    layer : Layer
    parameters : dict of float64 arrays
    inputs : tuple of float64 arrays
    index : tuple of int
        (channel, *position) in the output, or (feature,).
    states : dict of float64 arrays
        Running statistics.
    output : float64 array
        What the layer computed.
    """

    layer: Any
    parameters: Mapping[str, np.ndarray]
    inputs: tuple[np.ndarray, ...]
    index: Index
    states: Mapping[str, np.ndarray]
    output: np.ndarray

    @property
    def x(self) -> np.ndarray:
        """The first input."""
        return self.inputs[0]


@dataclass(frozen=True, eq=False)
class Terms:
    """The summands of a value, in the order of the window.

    Parameters
    ----------
    inputs : int64[T]
        Which input of the layer each term comes from.
    places : int64[T]
        Where in that input, counted row by row; -1 where it is beyond the edge.
    values : float64[T]
        What stands there.
    factors : float64[T] or None
        What the values are multiplied by; None where the terms are no products.
    products : float64[T]
        What each term adds.
    """

    inputs: np.ndarray
    places: np.ndarray
    values: np.ndarray
    factors: np.ndarray | None
    products: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    @property
    def order(self) -> np.ndarray:
        """The numbers of the terms, the largest in absolute value first, int64[T]."""
        return np.argsort(-np.abs(self.products), kind="stable")


@dataclass(frozen=True, eq=False)
class Decomposition:
    """How a value comes about: ``value = finish(combination of the terms and constants)``.

    Parameters
    ----------
    terms : Terms
    rule : str
        The combination in words and symbols, such as ``sum of weight * x + bias``.
    constants : dict of float
        Summands that come from no input, such as the bias.
    finish : function, optional
        What is done with the sum; nothing by default.
    finish_rule : str
        ``finish`` in symbols.
    product : bool
        The terms are multiplied rather than added.
    statistics : dict of float
        Numbers that the terms depend on, such as the mean and the variance of a normalisation.
    window, kernel : float64[C, *kernel], optional
        The values of the terms and their factors in the shape of the window.
    winner : int, optional
        The number of the term that a maximum chose.
    factor_name : str
        What the factors are.
    """

    terms: Terms
    rule: str
    constants: Mapping[str, float] = field(default_factory=dict)
    finish: Callable[[float], float] | None = None
    finish_rule: str = ""
    product: bool = False
    statistics: Mapping[str, float] = field(default_factory=dict)
    window: np.ndarray | None = None
    kernel: np.ndarray | None = None
    winner: int | None = None
    factor_name: str = "weight"

    @property
    def total(self) -> float:
        """The exactly rounded sum of the terms and constants (or the product of the terms)."""
        if self.product:
            return float(math.prod(self.terms.products.tolist()))
        return math.fsum([*self.terms.products.tolist(), *self.constants.values()])

    @property
    def result(self) -> float:
        """The value that the terms give."""
        return self.total if self.finish is None else float(self.finish(self.total))


def terms_at(
    cell: Cell,
    places: np.ndarray,
    factors: np.ndarray | float | None = None,
    products: np.ndarray | None = None,
    outside: float = 0.0,
    source: np.ndarray | int = 0,
) -> Terms:
    """Return the terms at ``places`` (int64, any shape; -1 is ``outside``) of input number ``source``."""
    places = np.asarray(places, np.int64).ravel()
    sources = np.broadcast_to(np.asarray(source, np.int64), places.shape)
    values = np.full(places.shape, outside)
    for number, x in enumerate(cell.inputs):
        here = (sources == number) & (places >= 0)
        values[here] = x.ravel()[places[here]]
    if factors is not None:
        factors = np.broadcast_to(np.asarray(factors, np.float64).ravel(), places.shape)
    if products is None:
        products = values if factors is None else values * factors
    return Terms(sources, places, values, factors, np.asarray(products, np.float64).ravel())


def flat_index(index: Index, shape: tuple[int, ...]) -> int:
    """Return the place of ``index`` in an array of ``shape``, counted row by row."""
    return int(np.ravel_multi_index(index, shape)) if shape else 0


Decomposer = Callable[[Cell], Decomposition]
DECOMPOSERS: dict[type[Layer], Decomposer] = {}


def decomposes(*layers: type[Layer]) -> Callable[[Decomposer], Decomposer]:
    """Register the decorated function as the one that takes values of ``layers`` apart."""

    def register(function: Decomposer) -> Decomposer:
        DECOMPOSERS.update(dict.fromkeys(layers, function))
        return function

    return register
