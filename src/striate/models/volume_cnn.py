"""A small network for volumes and clips."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import BatchNorm, Conv3d, GlobalAvgPool, Layer, Linear, MaxPool3d, ReLU, Softmax
from striate.layers.arguments import integer
from striate.models.arguments import class_count, grid_shape
from striate.models.parts import dropped
from striate.network import Network, Sequential

LARGE = 48
"""The side from which an axis is halved by a stride of 2 before anything else."""
SMALLEST_MAP = 4
"""The side below which an axis is not pooled again."""
LEAST_BLOCKS, MOST_BLOCKS = 2, 4


def volume_cnn(
    classes: int = 2, input_shape: int | Sequence[int] = (1, 32, 32, 32), *, width: int = 64, dropout: float = 0.0
) -> Network:
    """Return a network of 3x3x3 convolutions whose depth suits the size of the volume.

    Every block is a convolution, batch normalisation and ReLU; between blocks max pooling halves the axes that keep
    4 values or more, and the channels double, up to ``width`` in the last block. Its maps are averaged and go
    through one linear layer. Axes of 48 or more are first halved, as often as needed, by convolutions of stride 2.

    Parameters
    ----------
    classes : int
    input_shape : (channels, depth, rows, columns)
        For clips the depth is time.
    width : int
        Channels of the last block; at least 8.
    dropout : float
        Rate before the linear layer; 0 leaves the layer out.

    References
    ----------
    Tran et al. (2015), "Learning spatiotemporal features with 3D convolutional networks", section 3 (kernels of
    3x3x3); Ioffe and Szegedy (2015), "Batch normalization"; Lin, Chen and Yan (2014), "Network in network", section
    3.2 (global average pooling).

    Examples
    --------
    >>> volume_cnn(classes=5, input_shape=(3, 16, 64, 64)).output_shape
    (5,)
    """
    shape = grid_shape("volume_cnn", input_shape, least=1, rank=3)
    last, sides = integer(width, "volume_cnn: width", 8), list(shape[1:])
    strides = []
    while max(sides) >= LARGE:
        strides.append(tuple(2 if side >= LARGE else 1 for side in sides))
        sides = _halved(sides, strides[-1])
    pools = _pools(sides)
    channels = [max(4, last >> (len(pools) - block)) for block in range(len(pools) + 1)]
    layers: list[Layer] = []
    for stride in strides:
        layers += _convolution(channels[0], stride)
    for count, pool in zip(channels, [None, *pools], strict=True):
        layers += [] if pool is None else [MaxPool3d(pool, ceil_mode=True)]
        layers += _convolution(count)
    layers += [GlobalAvgPool(), *dropped(dropout), Linear(class_count("volume_cnn", classes)), Softmax()]
    return Sequential(layers, shape, "volume_cnn")


def _pools(sides: list[int]) -> list[tuple[int, ...]]:
    """Return the windows between the blocks; an axis keeps ``SMALLEST_MAP`` values or more."""
    found: list[tuple[int, ...]] = []
    while len(found) < MOST_BLOCKS - 1:
        pool = tuple(2 if side // 2 >= SMALLEST_MAP else 1 for side in sides)
        if max(pool) == 1 and len(found) >= LEAST_BLOCKS - 1:
            break
        found.append(pool)
        sides = _halved(sides, pool)
    return found


def _halved(sides: Sequence[int], steps: Sequence[int]) -> list[int]:
    return [-(-side // step) for side, step in zip(sides, steps, strict=True)]


def _convolution(channels: int, stride: int | tuple[int, ...] = 1) -> list[Layer]:
    return [Conv3d(channels, 3, stride=stride, padding=1, bias=False), BatchNorm(), ReLU()]
