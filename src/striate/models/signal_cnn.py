"""A convolutional network for signals."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import BatchNorm, Conv1d, Flatten, Layer, Linear, MaxPool1d, ReLU, Softmax
from striate.models.arguments import class_count, grid_shape
from striate.network import Network, Sequential

WIDE = 64
"""Taps of the first kernel."""


def signal_cnn(classes: int = 10, input_shape: int | Sequence[int] = (1, 1024)) -> Network:
    """Return a 1-D CNN with a wide first kernel: conv 16@64, conv 32, 64, 64, 64 @3, linear 100, softmax.

    Every convolution is followed by batch normalisation, ReLU and max pooling over 2. The first has a
    stride of 16 on signals of 1024 or more; on shorter ones the stride that leaves about 64 positions.

    Parameters
    ----------
    classes : int
    input_shape : (channels, length)
        The length at least 64.

    References
    ----------
    Zhang, Peng, Li, Chen and Zhang (2017), "A new deep learning model for fault diagnosis with good anti-noise
    and domain adaptation ability on raw vibration signals", Sensors 17(2), 425, table 1.

    Examples
    --------
    >>> signal_cnn(input_shape=(1, 2048)).step("pool5").shape
    (64, 3)
    """
    shape = grid_shape("signal_cnn", input_shape, least=WIDE, rank=1)
    stride = min(16, max(1, shape[1] // WIDE))
    layers: list[Layer] = [*_block(Conv1d(16, WIDE, stride=stride, padding="same"))]
    for width in (32, 64, 64):
        layers += _block(Conv1d(width, 3, padding="same"))
    layers += _block(Conv1d(64, 3))
    layers += [Flatten(), Linear(100), BatchNorm(), ReLU(), Linear(class_count("signal_cnn", classes)), Softmax()]
    return Sequential(layers, shape, "signal_cnn")


def _block(convolution: Conv1d) -> list[Layer]:
    return [convolution, BatchNorm(), ReLU(), MaxPool1d(2)]
