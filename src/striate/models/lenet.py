"""LeNet-5 as it is taught today."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import Conv2d, Flatten, Linear, Softmax
from striate.models.arguments import activation as activation_named
from striate.models.arguments import class_count, grid_shape
from striate.models.arguments import pooling as pooling_named
from striate.network import Network, Sequential

FRAME = 32
"""The side from which the first convolution shrinks the image; smaller ones are padded instead."""
LEAST_IMAGE = 16
"""The side from which the first pooling halves the image; smaller ones keep their detail (stride 1)."""
LEAST_MAP = 10
"""The side from which the second convolution shrinks its maps; smaller ones are padded instead."""


def lenet5(
    classes: int = 10,
    input_shape: int | Sequence[int] = (1, 28, 28),
    *,
    activation: str = "relu",
    pooling: str = "max",
    bias: bool = True,
) -> Network:
    """Return LeNet-5: conv 6@5x5, pool, conv 16@5x5, pool, linear 120, linear 84, linear ``classes``, softmax.

    The network was made for 28x28 digits in a 32x32 frame. So a layer that would eat too much of a
    smaller image keeps its size: the first convolution pads on images smaller than 32x32, the second on
    maps smaller than 10x10, and the first pooling has stride 1 on images smaller than 16x16. A 28x28
    image is thus padded to 32x32; an 8x8 one ends in 16 maps of 3x3.

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
    (16, 3, 3)
    """
    shape = grid_shape("lenet5", input_shape, least=4)
    side = min(shape[1:])
    first = "same" if side < FRAME else "valid"
    stride = 1 if side < LEAST_IMAGE else 2
    side = ((side if first == "same" else side - 4) - 2) // stride + 1
    second = "same" if side < LEAST_MAP else "valid"
    layers = [
        Conv2d(6, 5, padding=first, bias=bias),
        activation_named("lenet5", activation),
        pooling_named("lenet5", pooling, stride=stride),
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
