"""LeNet-5 as it is taught today."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import Conv2d, Flatten, Linear, Softmax
from striate.models.arguments import activation as activation_named
from striate.models.arguments import class_count, grid_shape
from striate.models.arguments import pooling as pooling_named
from striate.network import Network, Sequential

FRAME = 32
"""The side of the image that the first convolution shrinks; smaller ones are padded instead."""
LEAST_MAP = 10
"""The side of the second convolution's input from which it shrinks; smaller ones are padded instead."""


def lenet5(
    classes: int = 10,
    input_shape: int | Sequence[int] = (1, 28, 28),
    *,
    activation: str = "relu",
    pooling: str = "max",
    bias: bool = True,
) -> Network:
    """Return LeNet-5: conv 6@5x5, pool, conv 16@5x5, pool, linear 120, linear 84, linear ``classes``, softmax.

    The network was made for 28x28 digits in a 32x32 frame. So a convolution that would eat too much of
    the image keeps its size ("same" padding): the first on images smaller than 32x32, the second on maps
    smaller than 10x10. A 28x28 image is thus padded to 32x32; an 8x8 one ends in 16 maps of 2x2.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 4.
    activation : {"relu", "tanh", "sigmoid"}
    pooling : {"max", "average"}
        With "tanh" or "sigmoid" and "average" it is the classic network (but with all maps connected).
    bias : bool
        Whether the convolutions have biases.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition",
    section II.B.

    Examples
    --------
    >>> lenet5().parameter_count
    61706
    >>> lenet5(input_shape=(1, 8, 8)).step("pool2").shape
    (16, 2, 2)
    """
    shape = grid_shape("lenet5", input_shape, least=4)
    first = "same" if min(shape[1:]) < FRAME else "valid"
    side = (min(shape[1:]) if first == "same" else min(shape[1:]) - 4) // 2
    second = "same" if side < LEAST_MAP else "valid"
    layers = [
        Conv2d(6, 5, padding=first, bias=bias),
        activation_named("lenet5", activation),
        pooling_named("lenet5", pooling),
        Conv2d(16, 5, padding=second, bias=bias),
        activation_named("lenet5", activation),
        pooling_named("lenet5", pooling),
        Flatten(),
        Linear(120),
        activation_named("lenet5", activation),
        Linear(84),
        activation_named("lenet5", activation),
        Linear(class_count("lenet5", classes)),
        Softmax(),
    ]
    return Sequential(layers, shape, "lenet5")
