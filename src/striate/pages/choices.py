"""The networks that a page which trains offers: a list of layers, each with a few forms.

Plans are made here, not in the page: what places layers in memory are thousands of lines of Python, and a second
version of them in JavaScript could go wrong in ways of its own. All plans share their kernels, so a network more
costs the page a few kilobytes.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from striate.errors import ShapeError
from striate.layers import Conv2d, Flatten, Linear, Softmax
from striate.models.arguments import activation as activation_named
from striate.models.arguments import pooling as pooling_named
from striate.network import Network, Sequential

NAME = "network"


@dataclass(frozen=True)
class Choice:
    """One line of the list: its text, and the values it may have with their names, the usual one first."""

    text: str
    values: Mapping[Any, str]


CHOICES: dict[str, Choice] = {
    "channels": Choice("first convolution", {8: "8 maps", 16: "16 maps"}),
    "kernel": Choice("kernels", {5: "5 × 5", 3: "3 × 3"}),
    "activation": Choice("activation", {"relu": "ReLU", "tanh": "tanh"}),
    "pooling": Choice("pooling", {"max": "maximum", "average": "average"}),
    "second": Choice("second convolution", {16: "16 maps", 0: "none"}),
    "hidden": Choice("hidden layer", {0: "none", 64: "64 units"}),
}


def networks(classes: int, shape: tuple[int, ...]) -> dict[str, Network]:
    """Return every network of the list that fits samples of a shape, by the values of its choices.

    Examples
    --------
    >>> found = networks(10, (1, 8, 8))
    >>> len(found), found["16,3,relu,max,0,64"].parameter_count
    (64, 17354)
    """
    found = {}
    for values in itertools.product(*(choice.values for choice in CHOICES.values())):
        try:
            found[",".join(map(str, values))] = _network(classes, shape, **dict(zip(CHOICES, values, strict=True)))
        except ShapeError:
            continue  # a small picture is used up by so many layers
    return found


def _network(
    classes: int, shape: tuple[int, ...], *, channels: int, kernel: int, activation: str, pooling: str, second: int,
    hidden: int,
) -> Network:  # fmt: skip
    layers: list[Any] = []
    for maps in (channels, second):
        if maps:
            layers += [Conv2d(maps, kernel, padding="same"), activation_named(NAME, activation)]
            layers += [pooling_named(NAME, pooling)]
    layers += [Flatten()]
    if hidden:
        layers += [Linear(hidden), activation_named(NAME, activation)]
    return Sequential([*layers, Linear(classes), Softmax()], shape, NAME)
