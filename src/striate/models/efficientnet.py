"""EfficientNet: inverted residuals whose depth, width and images grow together."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import Dropout, GlobalAvgPool, Input, Linear, Sigmoid, SiLU, Softmax
from striate.layers.base import Node
from striate.models.arguments import class_count, grid_shape
from striate.models.inverted import excited, shortcut, unit
from striate.network import Network, chain

STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
"""Expansion, kernel, first stride, channels and blocks of each stage."""


def efficientnet_b0(classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224)) -> Network:
    """Return EfficientNet-B0: sixteen inverted residuals with squeeze-and-excitation and SiLU.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 32.

    References
    ----------
    Tan and Le (2019), "EfficientNet: rethinking model scaling for convolutional neural networks", table 1.

    Examples
    --------
    >>> efficientnet_b0().parameter_count
    5288548
    """
    name = "efficientnet_b0"
    x = Input(grid_shape(name, input_shape, least=32))
    x = unit(x, 32, 3, "features/0", SiLU(name="features/0/2"), stride=2)
    for stage, (expansion, kernel, first, channels, count) in enumerate(STAGES, start=1):
        for block in range(count):
            stride = first if block == 0 else 1
            x = _block(x, expansion, kernel, stride, channels, f"features/{stage}/{block}")
    x = unit(x, 1280, 1, "features/8", SiLU(name="features/8/2"))
    head = [GlobalAvgPool(), Dropout(0.2), Linear(class_count(name, classes), name="classifier/1"), Softmax()]
    return Network(chain(head, x), name)


def _block(x: Node, expansion: int, kernel: int, stride: int, channels: int, name: str) -> Node:
    wide, y, place = expansion * x.shape[0], x, 0
    if expansion != 1:
        y = unit(y, wide, 1, f"{name}/block/0", SiLU(name=f"{name}/block/0/2"))
        place = 1
    own, squeeze = f"{name}/block/{place}", f"{name}/block/{place + 1}"
    y = unit(y, wide, kernel, own, SiLU(name=f"{own}/2"), stride=stride, groups=wide)
    y = excited(y, x.shape[0] // 4, squeeze, SiLU(name=f"{squeeze}/silu"), Sigmoid(name=f"{squeeze}/gate"))
    y = unit(y, channels, 1, f"{name}/block/{place + 2}", None)
    return shortcut(x, y, stride, name)
