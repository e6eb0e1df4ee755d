"""A small network for photographs, to be trained on few of them on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import BatchNorm, Conv2d, GlobalAvgPool, Layer, Linear, MaxPool2d, ReLU, Softmax
from striate.layers.arguments import integer
from striate.models.arguments import class_count, grid_shape
from striate.models.parts import dropped
from striate.network import Network, Sequential

LARGE = 96
"""The side from which an image is halved by a convolution of stride 2 before anything else."""
SMALLEST_MAP = 5
"""The side below which maps are not pooled again."""
MOST_BLOCKS = 4
LEAST_SIDE = 4


def photo_cnn(
    classes: int = 2, input_shape: int | Sequence[int] = (3, 64, 64), *, width: int = 128, dropout: float = 0.0
) -> Network:
    """Return a VGG with batch normalisation and global average pooling whose depth suits the size of the image.

    Every block is two 3x3 convolutions, each followed by batch normalisation and ReLU; between blocks 2x2
    max pooling halves the maps and the channels double, up to ``width`` in the last block. Its maps are averaged
    and go through one linear layer. An image of 64x64 takes 4 blocks of 16, 32, 64 and 128 channels, one of 32x32
    takes the last 3 of them, one of 16x16 the last 2. Images whose shorter side is 96 or more are first halved,
    as often as needed, by 3x3 convolutions of stride 2. So large images take about as much work as those of 64x64.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 4.
    width : int
        Channels of the last block; at least 8.
    dropout : float
        Rate before the linear layer; 0 leaves the layer out.

    References
    ----------
    Simonyan and Zisserman (2015), "Very deep convolutional networks for large-scale image recognition" (blocks);
    Ioffe and Szegedy (2015), "Batch normalization"; Lin, Chen and Yan (2014), "Network in network", section 3.2
    (global average pooling).

    Examples
    --------
    >>> photo_cnn().parameter_count
    294258
    >>> photo_cnn(input_shape=(3, 224, 224)).step("pool1").shape
    (16, 28, 28)
    """
    shape = grid_shape("photo_cnn", input_shape, least=LEAST_SIDE)
    last = integer(width, "photo_cnn: width", 8)
    side, halvings = min(shape[1:]), 0
    while side >= LARGE:
        side, halvings = (side + 1) // 2, halvings + 1
    blocks = _block_count(side)
    channels = [last >> (blocks - 1 - block) for block in range(blocks)]
    layers: list[Layer] = []
    for _ in range(halvings):
        layers += _convolution(channels[0], stride=2)
    for block, count in enumerate(channels):
        layers += [MaxPool2d(2)] if block else []
        layers += [*_convolution(count), *_convolution(count)]
    layers += [GlobalAvgPool(), *dropped(dropout), Linear(class_count("photo_cnn", classes)), Softmax()]
    return Sequential(layers, shape, "photo_cnn")


def _block_count(side: int) -> int:
    """Return how many blocks an image takes: pooled while its maps stay at ``SMALLEST_MAP`` or more."""
    blocks = 1
    while side // 2 >= SMALLEST_MAP and blocks < MOST_BLOCKS:
        side, blocks = side // 2, blocks + 1
    return blocks


def _convolution(channels: int, stride: int = 1) -> list[Layer]:
    return [Conv2d(channels, 3, stride=stride, padding=1, bias=False), BatchNorm(), ReLU()]
