"""U-Net: a class for each position of a picture, series or volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from striate.layers import (
    BatchNorm,
    Concatenate,
    Conv1d,
    Conv2d,
    Conv3d,
    Input,
    Layer,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    ReLU,
    Resize,
    Softmax,
    Upsample,
)
from striate.layers.arguments import integer
from striate.layers.base import Node
from striate.models.arguments import class_count, grid_shape, sample_shape
from striate.network import Network, chain

CONVOLUTIONS: dict[int, Callable[..., Layer]] = {1: Conv1d, 2: Conv2d, 3: Conv3d}
POOLINGS: dict[int, Callable[..., Layer]] = {1: MaxPool1d, 2: MaxPool2d, 3: MaxPool3d}
SMALLEST_MAP = 8
"""The side below which maps are not pooled again."""
MOST_LEVELS = 4


def unet(classes: int = 2, input_shape: int | Sequence[int] = (3, 64, 64), *, width: int = 16) -> Network:
    """Return a U-Net: a class for each position, float32[classes, *space] with a softmax over the classes.

    A level is two convolutions of 3 taps along each axis, each followed by batch normalisation and ReLU. Max
    pooling halves the maps from level to level and the channels double; on the way back maps are enlarged, joined
    with those of the same level, and convolved twice. The convolutions are padded, unlike the paper's, so the
    output has the size of the input.

    Parameters
    ----------
    classes : int
    input_shape : (channels, *space)
        Of 1 to 3 axes of space of any size; they are halved, at most 4 times, while each keeps 8 or more.
    width : int
        Channels of the first level.

    References
    ----------
    Ronneberger, Fischer and Brox (2015), "U-Net: convolutional networks for biomedical image segmentation".

    Examples
    --------
    >>> unet(classes=3, input_shape=(1, 50, 70)).output_shape
    (3, 50, 70)
    """
    rank = min(3, max(1, len(sample_shape("unet", input_shape)) - 1))
    shape = grid_shape("unet", input_shape, least=1, rank=rank)
    count, channels = class_count("unet", classes), integer(width, "unet: width", 1)
    node: Node = Input(shape)
    passed: list[Node] = []
    while min(node.shape[1:]) // 2 >= SMALLEST_MAP and len(passed) < MOST_LEVELS:
        level = len(passed) + 1
        passed.append(_twice(node, channels << len(passed), f"down{level}"))
        node = POOLINGS[rank](2, ceil_mode=True, name=f"pool{level}")(passed[-1])
    node = _twice(node, channels << len(passed), "bottom")
    for level in range(len(passed), 0, -1):
        same = passed[level - 1]
        larger = _enlarged(node, same.shape[1:], f"enlarge{level}")
        node = Concatenate(name=f"join{level}")(same, larger)
        node = _twice(node, channels << (level - 1), f"up{level}")
    return Network(chain([CONVOLUTIONS[rank](count, 1, name="classes"), Softmax()], node), "unet")


def _twice(node: Node, channels: int, name: str) -> Node:
    rank = len(node.shape) - 1
    for number in (1, 2):
        here = f"{name}/{number}"
        node = CONVOLUTIONS[rank](channels, 3, padding=1, bias=False, name=here)(node)
        node = ReLU(name=f"{here}/relu")(BatchNorm(name=f"{here}/norm")(node))
    return node


def _enlarged(node: Node, space: Sequence[int], name: str) -> Node:
    """Return maps of the size ``space``; repeated values where it is twice as large, else the nearest ones."""
    if tuple(2 * side for side in node.shape[1:]) == tuple(space):
        return Upsample(2, name=name)(node)
    return Resize(tuple(space), mode="nearest", name=name)(node)
