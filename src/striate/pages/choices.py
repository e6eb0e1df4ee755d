"""The networks offered on a training page: a list of layers, each with a few variants.

Plans are made here, not in the page: what places layers in memory are thousands of lines of Python, and a second
version of them in JavaScript could go wrong in ways of its own. All plans share their kernels, so a network more
costs the page a few kilobytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from striate.layers import (
    AvgPool1d,
    AvgPool2d,
    Conv1d,
    Conv2d,
    Flatten,
    Linear,
    MaxPool1d,
    MaxPool2d,
    Resize,
    Softmax,
)
from striate.layers.base import Layer
from striate.models.arguments import activation as activation_named
from striate.network import Network, Sequential

NAME = "network"


@dataclass(frozen=True)
class Choice:
    """One line of the list: its text, and the values it may have with their names, the usual one first."""

    text: str
    values: Mapping[Any, str]


SIZES = {
    "channels": Choice("first convolution", {8: "8 maps", 16: "16 maps"}),
    "kernel": Choice("kernels", {5: "5 × 5", 3: "3 × 3"}),
}
USUAL = {
    "activation": Choice("activation", {"relu": "ReLU", "tanh": "tanh"}),
    "pooling": Choice("pooling", {"max": "maximum", "average": "average"}),
    "second": Choice("second convolution", {16: "16 maps", 0: "none"}),
    "hidden": Choice("hidden layer", {0: "none", 64: "64 units"}),
}
PICTURES = {**SIZES, **USUAL}
SERIES = {**SIZES, "kernel": Choice("kernels", {9: "9 positions", 5: "5 positions"}), **USUAL}
MAPS = {
    **SIZES,
    "activation": USUAL["activation"],
    "levels": Choice("size of the maps", {1: "halved inside", 0: "full"}),
}
TABLES = {
    "first": Choice("first hidden layer", {32: "32 units", 8: "8 units", 128: "128 units", 0: "none"}),
    "second": Choice("second hidden layer", {0: "none", 16: "16 units", 64: "64 units"}),
    "activation": Choice("activation", {"relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid"}),
}


def choices_for(shape: tuple[int, ...], target_axes: int = 1) -> Mapping[str, Choice] | None:
    """Return the lines of the list for samples of a shape and targets of so many axes; None if there are none."""
    if math.prod(shape[1:]) == 1:
        return TABLES
    if len(shape) == 2:
        return SERIES
    if len(shape) != 3:
        return None
    return MAPS if target_axes == len(shape) else PICTURES


def network_of(
    choices: Mapping[str, Choice], chosen: dict[str, Any], shape: tuple[int, ...], outputs: int
) -> Network:
    """Return the network of some choices, with a Softmax at its end.

    Raises
    ------
    ShapeError
        If a small picture is too small for so many layers.

    Examples
    --------
    >>> chosen = {"channels": 16, "kernel": 3, "activation": "relu", "pooling": "max", "second": 0, "hidden": 64}
    >>> network_of(PICTURES, chosen, (1, 8, 8), 10).parameter_count
    17354
    >>> network_of(TABLES, {"first": 8, "second": 16, "activation": "tanh"}, (4,), 3).parameter_count
    235
    """
    if choices is MAPS:
        return Sequential([*_maps(shape, **chosen), Conv2d(outputs, 1), Softmax()], shape, NAME)
    layers = _dense(**chosen) if choices is TABLES else _convolutional(len(shape) == 2, **chosen)
    return Sequential([*layers, Linear(outputs), Softmax()], shape, NAME)


def _maps(shape: tuple[int, ...], *, channels: int, kernel: int, activation: str, levels: int) -> list[Layer]:
    """Return layers that give every pixel its own values."""

    def convolved(maps: int) -> list[Layer]:
        return [Conv2d(maps, kernel, padding="same"), activation_named(NAME, activation)]

    inner = [MaxPool2d(2), *convolved(2 * channels), Resize(shape[1:])] if levels else []
    return [*convolved(channels), *inner, *convolved(channels)]


def _dense(*, first: int, second: int, activation: str) -> list[Layer]:
    layers: list[Layer] = [Flatten()]
    for units in (first, second):
        if units:
            layers += [Linear(units), activation_named(NAME, activation)]
    return layers


def _convolutional(
    series: bool, *, channels: int, kernel: int, activation: str, pooling: str, second: int, hidden: int
) -> list[Layer]:
    convolution = Conv1d if series else Conv2d
    pool = (MaxPool1d if series else MaxPool2d) if pooling == "max" else AvgPool1d if series else AvgPool2d
    layers: list[Layer] = []
    for maps in (channels, second):
        if maps:
            layers += [convolution(maps, kernel, padding="same"), activation_named(NAME, activation), pool(2)]
    layers += [Flatten()]
    if hidden:
        layers += [Linear(hidden), activation_named(NAME, activation)]
    return layers
