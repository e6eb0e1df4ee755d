"""A convolutional network for volumes and clips."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import Conv3d, Dropout, Flatten, Layer, LeakyReLU, Linear, MaxPool3d, ReLU, Softmax
from striate.layers.arguments import flag
from striate.models.arguments import class_count, grid_shape
from striate.network import Network, Sequential


def voxnet(
    classes: int = 40, input_shape: int | Sequence[int] = (1, 32, 32, 32), *, dropout: bool = True
) -> Network:
    """Return VoxNet: conv 32@5x5x5 stride 2, conv 32@3x3x3, max pool 2, linear 128, softmax.

    Parameters
    ----------
    classes : int
    input_shape : (channels, depth, rows, columns)
        Every side at least 11; for clips the depth is time.
    dropout : bool
        With rates 0.2, 0.3 and 0.4, as in the paper.

    References
    ----------
    Maturana and Scherer (2015), "VoxNet: a 3D convolutional neural network for real-time object recognition".

    Examples
    --------
    >>> voxnet().parameter_count
    921736
    """
    shape = grid_shape("voxnet", input_shape, least=11, rank=3)
    layers: list[Layer] = [
        *(Conv3d(32, 5, stride=2), LeakyReLU(0.1), Dropout(0.2)),
        *(Conv3d(32, 3), LeakyReLU(0.1), MaxPool3d(2), Dropout(0.3)),
        *(Flatten(), Linear(128), ReLU(), Dropout(0.4)),
        *(Linear(class_count("voxnet", classes)), Softmax()),
    ]
    if not flag(dropout, "voxnet: dropout"):
        layers = [layer for layer in layers if not isinstance(layer, Dropout)]
    return Sequential(layers, shape, "voxnet")
