"""Check the arguments of models, and name their exchangeable parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from striate.errors import ShapeError, UsageError, unknown_name
from striate.layers import AvgPool2d, Layer, MaxPool2d, ReLU, Sigmoid, Tanh
from striate.layers.arguments import integer, real
from striate.layers.base import Shape, format_shape

ACTIVATIONS: dict[str, Callable[[], Layer]] = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}
POOLINGS: dict[str, Callable[..., Layer]] = {"max": MaxPool2d, "average": AvgPool2d}


def share_dropped(value: Any) -> float:
    """Return the option ``dropout`` of a model, which its layers call the rate."""
    return real(value, "dropout", above=0, below=1, closed=True)


def sample_shape(model: str, input_shape: Any) -> Shape:
    """Return ``input_shape`` (an int or a sequence of ints) as a tuple.

    Examples
    --------
    >>> sample_shape("mlp", 784)
    (784,)
    """
    sides = input_shape if isinstance(input_shape, Sequence) else (input_shape,)
    return tuple(integer(side, f"{model}: input_shape") for side in sides)


def grid_shape(model: str, input_shape: Any, least: int, rank: int = 2) -> Shape:
    """Return ``input_shape`` as (channels, *space) with ``rank`` sides of at least ``least``.

    Raises
    ------
    ShapeError
        If there are not ``rank`` sides, or one is too small for the model.
    """
    shape = sample_shape(model, input_shape)
    axes = {1: "channels x length", 2: "channels x rows x columns", 3: "channels x depth x rows x columns"}[rank]
    if len(shape) != rank + 1:
        raise ShapeError(
            f"{model}: takes samples of {axes}; got {format_shape(shape)}. Reshape them, or use an mlp."
        )
    if min(shape[1:]) < least:
        raise ShapeError(
            f"{model}: every side must be at least {least}; got {format_shape(shape)}. "
            "Enlarge the samples, or use a smaller model."
        )
    return shape


def class_count(model: str, classes: Any, least: int = 2) -> int:
    """Return ``classes`` as an int of at least ``least``."""
    return integer(classes, f"{model}: classes", least)


def activation(model: str, name: str) -> Layer:
    """Return a new activation by name; raises UsageError with the nearest names."""
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise unknown_name(f"{model}: activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]()


def pooling(model: str, name: str, kernel_size: int = 2, stride: int = 2) -> Layer:
    """Return a new pooling by name; raises UsageError with the nearest names."""
    if name not in POOLINGS:
        raise unknown_name(f"{model}: pooling", name, POOLINGS)
    return POOLINGS[name](kernel_size, stride)


def widths(model: str, hidden: Any) -> tuple[int, ...]:
    """Return the widths of hidden layers as a tuple; one number means one layer.

    Raises UsageError for anything else.
    """
    if isinstance(hidden, str):
        raise UsageError(f"{model}: hidden takes numbers, one for each layer; got {hidden!r}.")
    items = hidden if isinstance(hidden, Sequence) else (hidden,)
    return tuple(integer(item, f"{model}: hidden") for item in items)
