"""Residual networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from striate.layers import Add, GlobalAvgPool, Input, Linear, MaxPool2d, ReLU, Softmax
from striate.layers.arguments import choice
from striate.layers.base import Node
from striate.models.arguments import class_count, grid_shape
from striate.models.parts import normalised
from striate.network import Network, chain

WIDTHS = (64, 128, 256, 512)
Block = Callable[[Node, int, int, str], Node]


def basic_block(x: Node, width: int, stride: int, name: str) -> Node:
    """Return ``relu(x + f(x))`` with two 3x3 convolutions in f."""
    y = normalised(x, width, 3, f"{name}/conv1", stride=stride, padding=1)
    y = normalised(y, width, 3, f"{name}/conv2", padding=1, relu=False)
    return _joined(x, y, stride, name)


def bottleneck(x: Node, width: int, stride: int, name: str) -> Node:
    """Return ``relu(x + f(x))`` with 1x1, 3x3 (which has the stride) and 1x1 convolutions in f."""
    y = normalised(x, width, 1, f"{name}/conv1")
    y = normalised(y, width, 3, f"{name}/conv2", stride=stride, padding=1)
    y = normalised(y, 4 * width, 1, f"{name}/conv3", relu=False)
    return _joined(x, y, stride, name)


def _joined(x: Node, y: Node, stride: int, name: str) -> Node:
    """Add the shortcut: x itself, or its projection where the shape changes."""
    if x.shape != y.shape:
        x = normalised(x, y.shape[0], 1, f"{name}/shortcut", stride=stride, relu=False)
    return ReLU(name=f"{name}/relu")(Add(name=f"{name}/add")(y, x))


def _resnet(
    name: str, block: Block, counts: Sequence[int], classes: int, input_shape: int | Sequence[int], stem: str
) -> Network:
    small = choice(stem, f"{name}: stem", ("imagenet", "cifar")) == "cifar"
    node = Input(grid_shape(name, input_shape, least=8 if small else 32))
    if small:
        node = normalised(node, 64, 3, "conv1", padding=1)
    else:
        node = normalised(node, 64, 7, "conv1", stride=2, padding=3)
        node = MaxPool2d(3, stride=2, padding=1)(node)
    for stage, (width, count) in enumerate(zip(WIDTHS, counts, strict=True), start=1):
        for number in range(1, count + 1):
            stride = 2 if stage > 1 and number == 1 else 1
            node = block(node, width, stride, f"stage{stage}/block{number}")
    head = [GlobalAvgPool(), Linear(class_count(name, classes)), Softmax()]
    return Network(chain(head, node), name)


def resnet18(
    classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224), *, stem: str = "imagenet"
) -> Network:
    """Return ResNet-18: eight residual blocks of two 3x3 convolutions.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 32 (8 with the stem "cifar").
    stem : {"imagenet", "cifar"}
        What comes before the blocks: 7x7 convolution and pooling that quarter the image, or one 3x3 convolution.

    References
    ----------
    He, Zhang, Ren and Sun (2016), "Deep residual learning for image recognition", table 1.

    Examples
    --------
    >>> resnet18().parameter_count
    11689512
    """
    return _resnet("resnet18", basic_block, (2, 2, 2, 2), classes, input_shape, stem)


def resnet34(
    classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224), *, stem: str = "imagenet"
) -> Network:
    """Return ResNet-34 of He et al. (2016): sixteen residual blocks of two 3x3 convolutions; see ``resnet18``.

    Examples
    --------
    >>> resnet34().parameter_count
    21797672
    """
    return _resnet("resnet34", basic_block, (3, 4, 6, 3), classes, input_shape, stem)


def resnet50(
    classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224), *, stem: str = "imagenet"
) -> Network:
    """Return ResNet-50 of He et al. (2016): sixteen bottleneck blocks; see ``resnet18``.

    The stride of a block is that of its 3x3 convolution, as in most implementations (the paper puts it in
    the first 1x1 convolution).

    Examples
    --------
    >>> resnet50().parameter_count
    25557032
    """
    return _resnet("resnet50", bottleneck, (3, 4, 6, 3), classes, input_shape, stem)


def resnet101(
    classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224), *, stem: str = "imagenet"
) -> Network:
    """Return ResNet-101 of He et al. (2016): thirty-three bottleneck blocks; see ``resnet50``.

    Examples
    --------
    >>> resnet101().parameter_count
    44549160
    """
    return _resnet("resnet101", bottleneck, (3, 4, 23, 3), classes, input_shape, stem)


def resnet152(
    classes: int = 1000, input_shape: int | Sequence[int] = (3, 224, 224), *, stem: str = "imagenet"
) -> Network:
    """Return ResNet-152 of He et al. (2016): fifty bottleneck blocks; see ``resnet50``.

    Examples
    --------
    >>> resnet152().parameter_count
    60192808
    """
    return _resnet("resnet152", bottleneck, (3, 8, 36, 3), classes, input_shape, stem)
