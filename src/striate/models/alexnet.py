"""AlexNet, in one tower or in two."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import Conv2d, Input, Layer, LocalResponseNorm, MaxPool2d, ReLU
from striate.layers.arguments import flag
from striate.models.arguments import class_count, grid_shape
from striate.models.parts import resized, wide_head
from striate.network import Network, chain


def alexnet(
    classes: int = 1000,
    input_shape: int | Sequence[int] = (3, 224, 224),
    *,
    grouped: bool = False,
    dropout: float = 0.5,
) -> Network:
    """Return AlexNet: five convolutions, three overlapping max poolings, two linear layers of 4096, softmax.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 63; maps that do not end in 6x6 are averaged to it.
    grouped : bool
        The network of 2012: 96 filters first, three convolutions in two groups, local response normalisation
        after the first two. Otherwise the one-tower form of 2014 with 64 filters first.
    dropout : float
        Rate for the outputs of both linear layers of 4096, or in the one-tower form for their inputs; 0 leaves
        the layers out.

    References
    ----------
    Krizhevsky, Sutskever and Hinton (2012), "ImageNet classification with deep convolutional neural
    networks"; Krizhevsky (2014), "One weird trick for parallelizing convolutional neural networks".

    Examples
    --------
    >>> alexnet().parameter_count
    61100840
    >>> alexnet(grouped=True).parameter_count
    60965224
    """
    shape = grid_shape("alexnet", input_shape, least=63)
    two = flag(grouped, "alexnet: grouped")
    node = resized(chain(_two_towers() if two else _one_tower(), Input(shape)), 6)
    head = wide_head(class_count("alexnet", classes), dropout, dropout_first=not two)
    return Network(chain(head, node), "alexnet")


def _one_tower() -> list[Layer]:
    return [
        *(Conv2d(64, 11, stride=4, padding=2), ReLU(), MaxPool2d(3, stride=2)),
        *(Conv2d(192, 5, padding=2), ReLU(), MaxPool2d(3, stride=2)),
        *(Conv2d(384, 3, padding=1), ReLU()),
        *(Conv2d(256, 3, padding=1), ReLU()),
        *(Conv2d(256, 3, padding=1), ReLU(), MaxPool2d(3, stride=2)),
    ]


def _two_towers() -> list[Layer]:
    def norm() -> Layer:
        return LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)

    return [
        *(Conv2d(96, 11, stride=4, padding=2), ReLU(), norm(), MaxPool2d(3, stride=2)),
        *(Conv2d(256, 5, padding=2, groups=2), ReLU(), norm(), MaxPool2d(3, stride=2)),
        *(Conv2d(384, 3, padding=1), ReLU()),
        *(Conv2d(384, 3, padding=1, groups=2), ReLU()),
        *(Conv2d(256, 3, padding=1, groups=2), ReLU(), MaxPool2d(3, stride=2)),
    ]
