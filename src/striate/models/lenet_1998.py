"""LeNet-5 as it was in 1998."""

from __future__ import annotations

from collections.abc import Sequence

from striate.errors import ShapeError
from striate.layers import (
    Conv2d,
    Flatten,
    Layer,
    Linear,
    RadialBasis,
    Scale,
    ScaledTanh,
    Softmax,
    Subsample2d,
)
from striate.layers.arguments import choice
from striate.layers.base import format_shape
from striate.models.arguments import class_count, grid_shape
from striate.models.bitmaps import digit_bitmaps
from striate.network import Network, Sequential

CONNECTIONS = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
)
"""Which of the six maps of S2 each of the sixteen maps of C3 sees (table I of the paper)."""


def lenet5_1998(
    classes: int = 10, input_shape: int | Sequence[int] = (1, 32, 32), *, output: str = "rbf"
) -> Network:
    """Return LeNet-5 with its connection table, trainable subsampling, scaled tanh and radial basis output.

    C1 6@5x5, S2, C3 16@5x5 (each map sees 3, 4 or 6 of the maps before), S4, C5 120@5x5, F6 84, output.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        32x32, or 28x28, which the first convolution pads.
    output : {"rbf", "softmax"}
        "rbf": squared distances from pictures of the ten digits (from learnt centres for other numbers of
        classes), and the softmax of their negatives; "softmax": a linear layer and a softmax.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition",
    section II.B.

    Examples
    --------
    >>> lenet5_1998().parameter_count
    60000
    """
    shape = grid_shape("lenet5_1998", input_shape, least=28)
    if shape[1:] not in ((28, 28), (32, 32)):
        raise ShapeError(
            f"lenet5_1998: takes images of 32x32, or 28x28; got {format_shape(shape)}. Resize them, or use lenet5."
        )
    layers: list[Layer] = [
        *(Conv2d(6, 5, padding=(32 - shape[1]) // 2, name="c1"), ScaledTanh()),
        *(Subsample2d(2, name="s2"), ScaledTanh()),
        *(Conv2d(16, 5, connections=CONNECTIONS, name="c3"), ScaledTanh()),
        *(Subsample2d(2, name="s4"), ScaledTanh()),
        *(Conv2d(120, 5, name="c5"), ScaledTanh(), Flatten()),
        *(Linear(84, name="f6"), ScaledTanh()),
    ]
    count = class_count("lenet5_1998", classes)
    if choice(output, "lenet5_1998: output", ("rbf", "softmax")) == "softmax":
        layers.append(Linear(count, name="output"))
    else:
        centres = digit_bitmaps() if count == 10 else None
        layers += [RadialBasis(count, centres, name="output"), Scale(-1.0)]
    return Sequential([*layers, Softmax()], shape, "lenet5_1998")
