"""The digit recogniser of many introductory courses."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU, Softmax
from striate.layers.arguments import flag
from striate.models.arguments import class_count, grid_shape, widths
from striate.network import Network, Sequential


def digit_recogniser(
    classes: int = 10,
    input_shape: int | Sequence[int] = (1, 28, 28),
    *,
    hidden: int | Sequence[int] = (256,),
    dropout: bool = False,
) -> Network:
    """Return conv 8@5x5, pool, conv 16@3x3, pool (all "same", 2x2), linear ``hidden``, linear ``classes``, softmax.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 4.
    hidden : sequence of int
        The width of each hidden linear layer.
    dropout : bool
        With a rate of 1/4 after each pooling, and of 1/2 after each hidden layer.

    References
    ----------
    LeCun et al. (1998), "Gradient-based learning applied to document recognition", whose pattern it follows.

    Examples
    --------
    >>> digit_recogniser().parameter_count
    204906
    """
    shape = grid_shape("digit_recogniser", input_shape, least=4)
    layers: list[Layer] = [
        Conv2d(8, 5, padding="same"),
        ReLU(),
        MaxPool2d(2),
        Dropout(0.25),
        Conv2d(16, 3, padding="same"),
        ReLU(),
        MaxPool2d(2),
        Dropout(0.25),
        Flatten(),
    ]
    for width in widths("digit_recogniser", hidden):
        layers += [Linear(width), ReLU(), Dropout(0.5)]
    layers += [Linear(class_count("digit_recogniser", classes)), Softmax()]
    if not flag(dropout, "digit_recogniser: dropout"):
        layers = [layer for layer in layers if not isinstance(layer, Dropout)]
    return Sequential(layers, shape, "digit_recogniser")
