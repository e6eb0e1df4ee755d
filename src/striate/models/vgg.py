"""VGG networks: only 3x3 convolutions and 2x2 poolings before the linear layers."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import BatchNorm, Conv2d, Flatten, Input, Layer, Linear, MaxPool2d, ReLU, Softmax
from striate.layers.arguments import flag
from striate.models.arguments import class_count, grid_shape
from striate.models.parts import dropped, resized, wide_head
from striate.network import Network, Sequential, chain

WIDTHS = (64, 128, 256, 512, 512)
BLOCKS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Convolutions in each of the five blocks, by the number of layers with weights."""


def _vgg(depth: int, classes: int, input_shape: int | Sequence[int], batch_norm: bool, dropout: float) -> Network:
    name = f"vgg{depth}"
    shape = grid_shape(name, input_shape, least=32)
    norm = flag(batch_norm, f"{name}: batch_norm")
    layers: list[Layer] = []
    for block, (width, count) in enumerate(zip(WIDTHS, BLOCKS[depth], strict=True), start=1):
        for number in range(1, count + 1):
            layers.append(Conv2d(width, 3, padding=1, name=f"conv{block}_{number}"))
            layers += [BatchNorm(), ReLU()] if norm else [ReLU()]
        layers.append(MaxPool2d(2))
    node = resized(chain(layers, Input(shape)), 7)
    return Network(chain(wide_head(class_count(name, classes), dropout), node), name)


def vgg11(
    classes: int = 1000,
    input_shape: int | Sequence[int] = (3, 224, 224),
    *,
    batch_norm: bool = False,
    dropout: float = 0.5,
) -> Network:
    """Return VGG-11 (configuration A) of Simonyan and Zisserman (2015); for the arguments see ``vgg16``.

    Examples
    --------
    >>> vgg11().parameter_count
    132863336
    """
    return _vgg(11, classes, input_shape, batch_norm, dropout)


def vgg13(
    classes: int = 1000,
    input_shape: int | Sequence[int] = (3, 224, 224),
    *,
    batch_norm: bool = False,
    dropout: float = 0.5,
) -> Network:
    """Return VGG-13 (configuration B) of Simonyan and Zisserman (2015); for the arguments see ``vgg16``.

    Examples
    --------
    >>> vgg13().parameter_count
    133047848
    """
    return _vgg(13, classes, input_shape, batch_norm, dropout)


def vgg16(
    classes: int = 1000,
    input_shape: int | Sequence[int] = (3, 224, 224),
    *,
    batch_norm: bool = False,
    dropout: float = 0.5,
) -> Network:
    """Return VGG-16 (configuration D).

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 32; maps that do not end in 7x7 are averaged to it.
    batch_norm : bool
        Normalise after every convolution.
    dropout : float
        Rate for the outputs of both linear layers of 4096; 0 leaves the layers out.

    References
    ----------
    Simonyan and Zisserman (2015), "Very deep convolutional networks for large-scale image recognition", table 1.

    Examples
    --------
    >>> vgg16().parameter_count
    138357544
    """
    return _vgg(16, classes, input_shape, batch_norm, dropout)


def vgg19(
    classes: int = 1000,
    input_shape: int | Sequence[int] = (3, 224, 224),
    *,
    batch_norm: bool = False,
    dropout: float = 0.5,
) -> Network:
    """Return VGG-19 (configuration E) of Simonyan and Zisserman (2015); for the arguments see ``vgg16``.

    Examples
    --------
    >>> vgg19().parameter_count
    143667240
    """
    return _vgg(19, classes, input_shape, batch_norm, dropout)


def small_vgg(
    classes: int = 10, input_shape: int | Sequence[int] = (3, 32, 32), *, dropout: float = 0.0
) -> Network:
    """Return a VGG for small images: conv 32, 32, pool, conv 64, 64, pool, linear 256, softmax.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 4.
    dropout : float
        Rate before both linear layers; 0 leaves the layers out.

    References
    ----------
    Simonyan and Zisserman (2015), "Very deep convolutional networks for large-scale image recognition", whose
    pattern it follows.

    Examples
    --------
    >>> small_vgg().parameter_count
    1116970
    """
    shape = grid_shape("small_vgg", input_shape, least=4)
    layers: list[Layer] = []
    for width in (32, 64):
        for _ in range(2):
            layers += [Conv2d(width, 3, padding=1), ReLU()]
        layers.append(MaxPool2d(2))
    layers += [Flatten(), *dropped(dropout), Linear(256), ReLU(), *dropped(dropout)]
    return Sequential([*layers, Linear(class_count("small_vgg", classes)), Softmax()], shape, "small_vgg")
