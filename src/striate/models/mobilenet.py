"""MobileNets: depthwise convolutions between 1x1 ones."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import Dropout, GlobalAvgPool, HardSigmoid, HardSwish, Input, Layer, Linear, ReLU, Softmax
from striate.layers.base import Node
from striate.models.arguments import class_count, grid_shape
from striate.models.inverted import divisible, excited, relu6, shortcut, unit
from striate.network import Network, chain

V2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, blocks and first stride of each stage."""
Row = tuple[int, int, int, bool, bool, int]
LARGE: tuple[Row, ...] = (
    (3, 16, 16, False, False, 1),
    (3, 64, 24, False, False, 2),
    (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2),
    (5, 120, 40, True, False, 1),
    (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2),
    (3, 200, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 480, 112, True, True, 1),
    (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2),
    (5, 960, 160, True, True, 1),
    (5, 960, 160, True, True, 1),
)
"""Kernel, expanded channels, channels, squeeze-and-excitation, hard swish, stride (table 1 of the paper)."""
SMALL: tuple[Row, ...] = (
    (3, 16, 16, True, False, 2),
    (3, 72, 24, False, False, 2),
    (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2),
    (5, 240, 40, True, True, 1),
    (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1),
    (5, 144, 48, True, True, 1),
    (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1),
    (5, 576, 96, True, True, 1),
)
"""The same of table 2."""


def mobilenet_v2(classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224)) -> Network:
    """Return MobileNetV2: seventeen inverted residuals with linear bottlenecks.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 32.

    References
    ----------
    Sandler et al. (2018), "MobileNetV2: inverted residuals and linear bottlenecks", table 2.

    Examples
    --------
    >>> mobilenet_v2().parameter_count
    3504872
    """
    x = Input(grid_shape("mobilenet_v2", input_shape, least=32))
    x = unit(x, 32, 3, "features/0", relu6("features/0/2"), stride=2)
    number = 0
    for expansion, channels, count, first in V2:
        for block in range(count):
            number += 1
            x = _bottleneck(x, expansion, channels, first if block == 0 else 1, f"features/{number}")
    x = unit(x, 1280, 1, f"features/{number + 1}", relu6(f"features/{number + 1}/2"))
    count = class_count("mobilenet_v2", classes)
    return Network(
        chain([GlobalAvgPool(), Dropout(0.2), Linear(count, name="classifier/1"), Softmax()], x), "mobilenet_v2"
    )


def _bottleneck(x: Node, expansion: int, channels: int, stride: int, name: str) -> Node:
    wide, y, place = expansion * x.shape[0], x, 0
    if expansion != 1:
        y = unit(y, wide, 1, f"{name}/conv/0", relu6(f"{name}/conv/0/2"))
        place = 1
    y = unit(y, wide, 3, f"{name}/conv/{place}", relu6(f"{name}/conv/{place}/2"), stride=stride, groups=wide)
    y = unit(y, channels, 1, f"{name}/conv/{place + 1}", None, flat=f"{name}/conv/{place + 2}")
    return shortcut(x, y, stride, name)


def mobilenet_v3_large(classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224)) -> Network:
    """Return MobileNetV3-Large of Howard et al. (2019); see ``mobilenet_v3_small``.

    Examples
    --------
    >>> mobilenet_v3_large().parameter_count
    5483032
    """
    return _v3("mobilenet_v3_large", LARGE, 1280, classes, input_shape)


def mobilenet_v3_small(classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224)) -> Network:
    """Return MobileNetV3-Small: inverted residuals with squeeze-and-excitation and hard swish.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 32.

    References
    ----------
    Howard et al. (2019), "Searching for MobileNetV3", tables 1 and 2.

    Examples
    --------
    >>> mobilenet_v3_small().parameter_count
    2542856
    """
    return _v3("mobilenet_v3_small", SMALL, 1024, classes, input_shape)


def _v3(name: str, rows: Sequence[Row], hidden: int, classes: int, input_shape: int | Sequence[int]) -> Network:
    x = Input(grid_shape(name, input_shape, least=32))
    x = unit(x, 16, 3, "features/0", HardSwish(name="features/0/2"), stride=2, epsilon=1e-3)
    for number, row in enumerate(rows, start=1):
        x = _v3_block(x, row, f"features/{number}")
    last = f"features/{len(rows) + 1}"
    x = unit(x, 6 * x.shape[0], 1, last, HardSwish(name=f"{last}/2"), epsilon=1e-3)
    head = [
        *(GlobalAvgPool(), Linear(hidden, name="classifier/0"), HardSwish(), Dropout(0.2)),
        *(Linear(class_count(name, classes), name="classifier/3"), Softmax()),
    ]
    return Network(chain(head, x), name)


def _v3_block(x: Node, row: Row, name: str) -> Node:
    kernel, wide, channels, squeezes, swish, stride = row
    y, place = x, 0

    def activation(label: str) -> Layer:
        return HardSwish(name=label) if swish else ReLU(name=label)

    if wide != x.shape[0]:
        y = unit(y, wide, 1, f"{name}/block/0", activation(f"{name}/block/0/2"), epsilon=1e-3)
        place = 1
    own = f"{name}/block/{place}"
    y = unit(y, wide, kernel, own, activation(f"{own}/2"), stride=stride, groups=wide, epsilon=1e-3)
    if squeezes:
        place += 1
        own = f"{name}/block/{place}"
        inner, gate = ReLU(name=f"{own}/relu"), HardSigmoid(name=f"{own}/gate")
        y = excited(y, divisible(wide // 4), own, inner, gate)
    y = unit(y, channels, 1, f"{name}/block/{place + 1}", None, epsilon=1e-3)
    return shortcut(x, y, stride, name)
