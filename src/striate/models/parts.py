"""Pieces that several models are built from."""

from __future__ import annotations

from typing import Any

from striate.layers import AdaptiveAvgPool2d, BatchNorm, Conv2d, Dropout, Flatten, Layer, Linear, ReLU, Softmax
from striate.layers.base import Node
from striate.models.arguments import share_dropped


def convolution(node: Node, channels: int, kernel_size: int, name: str, **options: Any) -> Node:
    """Return convolution and ReLU; the activation is called after the convolution."""
    return ReLU(name=f"{name}/relu")(Conv2d(channels, kernel_size, name=name, **options)(node))


def normalised(
    node: Node,
    channels: int,
    kernel_size: int,
    name: str,
    *,
    relu: bool = True,
    epsilon: float = 1e-5,
    **options: Any,
) -> Node:
    """Return convolution without bias, batch normalisation and, if wanted, ReLU."""
    node = Conv2d(channels, kernel_size, bias=False, name=name, **options)(node)
    node = BatchNorm(epsilon=epsilon, name=f"{name}/norm")(node)
    return ReLU(name=f"{name}/relu")(node) if relu else node


def resized(node: Node, side: int) -> Node:
    """Return maps of ``side`` x ``side``: as they are, or averaged over parts."""
    return node if node.shape[1:] == (side, side) else AdaptiveAvgPool2d(side)(node)


def wide_head(classes: int, dropout: float, *, dropout_first: bool = False) -> list[Layer]:
    """Return the classifier of AlexNet: two linear layers of 4096, their outputs dropped, and a softmax.

    ``dropout_first`` drops the inputs of the two layers instead.
    """
    layers: list[Layer] = [Flatten()]
    for _ in range(2):
        wide: list[Layer] = [Linear(4096), ReLU()]
        layers += [*dropped(dropout), *wide] if dropout_first else [*wide, *dropped(dropout)]
    return [*layers, Linear(classes), Softmax()]


def dropped(rate: float) -> list[Layer]:
    """Return a dropout layer, or nothing for a rate of 0."""
    rate = share_dropped(rate)
    return [Dropout(rate)] if rate else []
