"""Every operation that has kernels: how it is drawn, and how far float32 may be from its meaning.

This one table feeds the comparison of kernels with references, and benchmarks of single operations.
A new layer needs one line here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate import layers
from striate.layers import Layer
from striate.layers.convolution import Convolution
from striate.layers.pooling import AvgPooling, LpPooling, MaxPooling
from striate.layers.subsampling import Subsampling
from striate.layers.transposed import TransposedConvolution
from striate.layers.unpooling import MaxUnpooling

from . import draws
from .bounds import (
    Magnitudes,
    Roundings,
    elementwise,
    normalisation,
    products,
    selected,
    softmax,
    terms,
    windows,
    without_signs,
)
from .choices import Choices
from .draws import Case, anywhere, any_shape


@dataclass(frozen=True)
class Operation:
    """One line of the table.

    Parameters
    ----------
    layers : tuple of classes
        What it proves, subclasses included.
    draw : function of Choices
        Returns a random valid case.
    magnitudes, roundings
        The two halves of the bound; see ``bounds``.
    exact : function of a case
        Whether float32 makes no error at all on small whole numbers.
    examples : int
        How many cases the whole run of the tests draws.
    indices : bool
        The input holds numbers of entries, and has no gradient.
    """

    layers: tuple[type[Layer], ...]
    draw: Callable[[Choices], Case]
    magnitudes: Magnitudes = without_signs
    roundings: Callable[[Case, int], Roundings] = terms(4)
    exact: Callable[[Case], bool] = lambda case: False
    examples: int = 60
    indices: bool = False


def always(case: Case) -> bool:
    return True


def powers_of_two(case: Case) -> bool:
    """Whether means are over windows of 1, 2, 4, ... cells all of which count."""
    layer: Any = case.layer
    window = layer.window(*case.shapes)
    cells = math.prod(window.kernel)
    return cells & (cells - 1) == 0 and (layer.count_padding or not any(map(any, window.padding)))


def of(layer: type[Layer], least_rank: int = 0, **options: list[Any]) -> Callable[[Choices], Case]:
    """Draw a layer that takes any shape, with each of its arguments from a list."""

    def draw(choose: Choices) -> Case:
        drawn = {name: choose.one_of(values) for name, values in options.items()}
        return anywhere(choose, layer(**drawn), least_rank)

    return draw


def small(layer: type[Layer], least_rank: int = 0, **options: list[Any]) -> Callable[[Choices], Case]:
    """The same for shapes of up to 200 positions."""

    def draw(choose: Choices) -> Case:
        drawn = {name: choose.one_of(values) for name, values in options.items()}
        return Case(layer(**drawn), (any_shape(choose, least_rank, 200),))

    return draw


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def ones(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.ones_like(x)


def over_batch(case: Case, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    return x, tuple(i for i in range(x.ndim) if i != 1)


def over_sample(case: Case, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    layer: Any = case.layer
    return x, tuple(range(1, x.ndim)) if layer.over == "sample" else (1,)


def over_groups(case: Case, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    layer: Any = case.layer
    return x.reshape(len(x), layer.groups, -1), (2,)


def over_space(case: Case, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    return x, tuple(range(2, x.ndim))


def per_group(case: Case, batch: int) -> Roundings:
    """Two sums over everything that is normalised together, in the gradient three more."""
    count = batch * math.prod(case.shapes[0])
    return Roundings(3 * count + 20, 8 * count + 40, 8 * count + 40)


BOTH = [True, False]

OPERATIONS: dict[str, Operation] = {
    "convolution": Operation((Convolution,), draws.convolution, without_signs, products, always, 900),
    "transposed convolution": Operation(
        (TransposedConvolution,), draws.transposed, without_signs, products, always, 300
    ),
    "linear": Operation((layers.Linear,), draws.linear, without_signs, products, always, 300),
    "max pooling": Operation(
        (MaxPooling,), lambda c: draws.pooling(c, "MaxPool"), selected, windows, always, 400
    ),
    "average pooling": Operation(
        (AvgPooling,),
        lambda c: draws.pooling(c, "AvgPool", count_padding=BOTH),
        without_signs,
        windows,
        powers_of_two,
        300,
    ),
    "relu": Operation((layers.ReLU,), of(layers.ReLU), selected, terms(1), always, 100),
    "sigmoid": Operation(
        (layers.Sigmoid,), of(layers.Sigmoid), elementwise(lambda _, x, y: y, lambda _, x, y: y), terms(12, 24), examples=100
    ),
    "tanh": Operation(
        (layers.Tanh,), of(layers.Tanh), elementwise(lambda _, x, y: np.abs(y), ones), terms(6, 16), examples=100
    ),
    "softmax": Operation((layers.Softmax,), small(layers.Softmax), softmax, terms(1, 4), examples=100),
    "identity": Operation((layers.Identity,), of(layers.Identity), selected, terms(1), always, 40),
    "flatten": Operation((layers.Flatten,), of(layers.Flatten), selected, terms(1), always, 60),
    "reshape": Operation((layers.Reshape,), draws.reshape, selected, terms(1), always, 100),
    "pad": Operation((layers.Pad,), draws.padding, without_signs, terms(125), always, 150),
    "crop": Operation((layers.Crop,), draws.cropping, selected, terms(1), always, 80),
    "add": Operation((layers.Add,), lambda c: draws.joined(c, layers.Add()), without_signs, terms(1600), always, 150),
    "multiply": Operation(
        (layers.Multiply,), lambda c: draws.joined(c, layers.Multiply()), without_signs, terms(1600), always, 150
    ),
    "concatenate": Operation((layers.Concatenate,), draws.concatenation, selected, terms(1), always, 120),
    "scale": Operation(
        (layers.Scale,),
        of(layers.Scale, factor=[0.5, -2.0], shift=[0.0, 1.0]),
        elementwise(lambda layer, x, y: np.abs(layer.factor * x) + abs(layer.shift), lambda layer, x, y: 0 * x + abs(layer.factor)),
        terms(2),
        always,
        80,
    ),
    "channel scale": Operation(
        (layers.ChannelScale,), of(layers.ChannelScale, bias=BOTH), without_signs, terms(3), always, 100
    ),
    "batch norm": Operation(
        (layers.BatchNorm,),
        small(layers.BatchNorm, affine=BOTH, momentum=[0.1, 1.0]),
        normalisation(over_batch),
        per_group,
        examples=150,
    ),
    "dropout": Operation((layers.Dropout,), of(layers.Dropout, rate=[0.0, 0.2, 0.5, 0.9]), without_signs, terms(3), examples=120),
    "spatial dropout": Operation(
        (layers.SpatialDropout,), of(layers.SpatialDropout, rate=[0.0, 0.2, 0.5]), without_signs, terms(3), examples=80
    ),
}  # fmt: skip
"""By name; see ``Operation``."""
