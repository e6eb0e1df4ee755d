"""A convolutional network whose depth, width and parts are options, for searches."""

from __future__ import annotations

from collections.abc import Sequence

from striate.errors import UsageError
from striate.layers import (
    BatchNorm,
    Conv1d,
    Conv2d,
    Conv3d,
    GlobalAvgPool,
    Layer,
    Linear,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    Softmax,
)
from striate.layers.arguments import integer
from striate.models.arguments import activation as activation_named
from striate.models.arguments import class_count, grid_shape, sample_shape
from striate.models.parts import dropped
from striate.network import Network, Sequential

CONVOLUTIONS = {1: (Conv1d, MaxPool1d), 2: (Conv2d, MaxPool2d), 3: (Conv3d, MaxPool3d)}


def cnn(
    classes: int = 10,
    input_shape: int | Sequence[int] = (1, 28, 28),
    *,
    blocks: int = 3,
    convolutions: int = 1,
    channels: int = 16,
    kernel_size: int = 3,
    activation: str = "relu",
    dropout: float = 0.0,
) -> Network:
    """Return a stack of blocks for signals, images or volumes.

    A block is convolutions, each with batch normalisation and an activation. From block to block the channels
    double, and max pooling halves every axis of space. Maps are averaged at the end and go through dropout and a
    linear layer.

    Parameters
    ----------
    classes : int
    input_shape : (channels, *space)
        Every side at least ``2 ** (blocks - 1)``.
    blocks : int
    convolutions : int
        In each block.
    channels : int
        Of the first block.
    kernel_size : int
        Odd; the maps keep their size.
    activation : {"relu", "tanh", "sigmoid"}
    dropout : float
        Rate before the linear layer; 0 leaves the layer out.

    References
    ----------
    Simonyan and Zisserman (2015), "Very deep convolutional networks for large-scale image recognition" (blocks);
    Ioffe and Szegedy (2015), "Batch normalization"; Lin, Chen and Yan (2014), "Network in network", section 3.2.

    Examples
    --------
    >>> cnn(input_shape=(3, 32, 32), blocks=2, channels=8).step("pool1").shape
    (8, 16, 16)
    """
    depth, side = integer(blocks, "cnn: blocks"), integer(kernel_size, "cnn: kernel_size")
    if side % 2 == 0:
        raise UsageError(f"cnn: kernel_size: must be odd; got {side}. Use for example 3.")
    rank = min(3, max(1, len(sample_shape("cnn", input_shape)) - 1))
    shape = grid_shape("cnn", input_shape, least=2 ** (depth - 1), rank=rank)
    convolution, pool = CONVOLUTIONS[rank]
    layers: list[Layer] = []
    for block in range(depth):
        layers += [pool(2)] if block else []
        for _ in range(integer(convolutions, "cnn: convolutions")):
            width = integer(channels, "cnn: channels") << block
            layers += [convolution(width, side, padding="same", bias=False), BatchNorm()]
            layers += [activation_named("cnn", activation)]
    layers += [GlobalAvgPool(), *dropped(dropout), Linear(class_count("cnn", classes)), Softmax()]
    return Sequential(layers, shape, "cnn")
