"""SqueezeNet: fire modules, which squeeze channels before they expand them."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import Concatenate, Conv2d, Dropout, GlobalAvgPool, Input, MaxPool2d, ReLU, Softmax
from striate.layers.base import Node
from striate.models.arguments import class_count, grid_shape
from striate.models.parts import convolution
from striate.network import Network, chain

Widths = Sequence[tuple[int, int, int] | None]
V1_0: Widths = (
    None, (16, 64, 64), (16, 64, 64), (32, 128, 128), None, (32, 128, 128), (48, 192, 192), (48, 192, 192),
    (64, 256, 256), None, (64, 256, 256),
)  # fmt: skip
"""Filters of each fire module: squeeze, 1x1, 3x3; None is a max pooling."""
V1_1: Widths = (
    None, (16, 64, 64), (16, 64, 64), None, (32, 128, 128), (32, 128, 128), None, (48, 192, 192), (48, 192, 192),
    (64, 256, 256), (64, 256, 256),
)  # fmt: skip


def _fire(x: Node, widths: tuple[int, int, int], name: str) -> Node:
    """Return 1x1 and 3x3 filters of few squeezed channels, side by side."""
    x = convolution(x, widths[0], 1, f"{name}/squeeze")
    parts = (
        convolution(x, widths[1], 1, f"{name}/expand1x1"),
        convolution(x, widths[2], 3, f"{name}/expand3x3", padding=1),
    )
    return Concatenate(name=f"{name}/concat")(*parts)


def _squeezenet(
    name: str, first: tuple[int, int], widths: Widths, classes: int, input_shape: int | Sequence[int]
) -> Network:
    x = Input(grid_shape(name, input_shape, least=21))
    x = convolution(x, first[0], first[1], "features/0", stride=2)
    for number, row in enumerate(widths, start=2):
        label = f"features/{number}"
        x = MaxPool2d(3, stride=2, ceil_mode=True, name=label)(x) if row is None else _fire(x, row, label)
    last = Conv2d(class_count(name, classes), 1, name="classifier/1")
    head = [Dropout(0.5), last, ReLU(), GlobalAvgPool(), Softmax()]
    return Network(chain(head, x), name)


def squeezenet1_0(classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224)) -> Network:
    """Return SqueezeNet 1.0: eight fire modules, no linear layer.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 21.

    References
    ----------
    Iandola et al. (2016), "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", table 1.

    Examples
    --------
    >>> squeezenet1_0().parameter_count
    1248424
    """
    return _squeezenet("squeezenet1_0", (96, 7), V1_0, classes, input_shape)


def squeezenet1_1(classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224)) -> Network:
    """Return SqueezeNet 1.1, the authors' revision of Iandola et al. (2016) at less than half the cost.

    Examples
    --------
    >>> squeezenet1_1().parameter_count
    1235496
    """
    return _squeezenet("squeezenet1_1", (64, 3), V1_1, classes, input_shape)
