"""A fully convolutional network for short series."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import BatchNorm, Conv1d, GlobalAvgPool, Layer, Linear, ReLU, Softmax
from striate.models.arguments import class_count, grid_shape, widths
from striate.network import Network, Sequential

TAPS = (9, 5, 3)
"""Of the kernels, the first layer's first."""


def series_cnn(
    classes: int = 2, input_shape: int | Sequence[int] = (1, 128), *, channels: int | Sequence[int] = (32, 64, 64)
) -> Network:
    """Return a fully convolutional network for series: three convolutions, a mean over time, softmax.

    Every convolution is followed by batch normalisation and ReLU. Nothing is subsampled, so series may be short,
    and a pattern counts wherever it appears. The published network has 128, 256 and 128 channels.

    Parameters
    ----------
    classes : int
    input_shape : (channels, length)
    channels : sequence of int
        Of up to three convolutions, with kernels of 9, 5 and 3 taps.

    References
    ----------
    Wang, Yan and Oates (2017), "Time series classification from scratch with deep neural networks: a strong
    baseline", International Joint Conference on Neural Networks, section II.

    Examples
    --------
    >>> series_cnn(classes=4, input_shape=(6, 100)).output_shape
    (4,)
    """
    shape = grid_shape("series_cnn", input_shape, least=1, rank=1)
    layers: list[Layer] = []
    for width, taps in zip(widths("series_cnn", channels), TAPS, strict=False):
        layers += [Conv1d(width, taps, padding="same"), BatchNorm(), ReLU()]
    layers += [GlobalAvgPool(), Linear(class_count("series_cnn", classes)), Softmax()]
    return Sequential(layers, shape, "series_cnn")
