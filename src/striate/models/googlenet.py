"""GoogLeNet: inception modules, with auxiliary outputs that help it learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from striate.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Concatenate,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Input,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Softmax,
)
from striate.layers.arguments import flag
from striate.layers.base import Node
from striate.models.arguments import class_count, grid_shape
from striate.models.parts import convolution, normalised
from striate.network import Network, chain

Widths = tuple[int, int, int, int, int, int]
MODULES: dict[str, Widths] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Filters of each inception module: 1x1; before 3x3, 3x3; before 5x5, 5x5; after the pooling."""
Convolution = Callable[..., Node]


def googlenet(
    classes: int = 1000,
    input_shape: int | Sequence[int] = (3, 224, 224),
    *,
    auxiliary: bool = False,
    batch_norm: bool = True,
) -> Network:
    """Return GoogLeNet: nine inception modules, global average, linear ``classes``, softmax.

    Parameters
    ----------
    classes : int
    input_shape : (channels, rows, columns)
        Every side at least 32.
    auxiliary : bool
        Add two classifiers after the modules 4a and 4d as auxiliary outputs of the network; the paper adds
        their losses with a weight of 0.3 and drops them after training. Each begins with average pooling of
        5x5 with stride 3, which makes 4x4 of the maps of 14x14 at 224x224; maps of other sizes are averaged
        to 4x4.
    batch_norm : bool
        The form most used today: batch normalisation after every convolution, which then has no bias, and
        3x3 in place of 5x5 kernels (6,624,904 parameters). Otherwise the paper's, with local response
        normalisation (6,998,552 parameters).

    References
    ----------
    Szegedy et al. (2015), "Going deeper with convolutions", table 1; Ioffe and Szegedy (2015), "Batch
    normalization", section 4.2.

    Examples
    --------
    >>> googlenet().parameter_count
    6624904
    """
    shape, count = grid_shape("googlenet", input_shape, least=32), class_count("googlenet", classes)
    modern = flag(batch_norm, "googlenet: batch_norm")
    conv: Convolution = _normalised if modern else convolution
    node = _stem(Input(shape), conv, modern)
    heads: list[Node] = []
    for module, widths in MODULES.items():
        node = _inception(node, widths, f"inception{module}", conv, 3 if modern else 5)
        if module in ("3b", "4e"):
            size = 2 if modern and module == "4e" else 3
            node = MaxPool2d(size, stride=2, ceil_mode=True, name="pool3" if module == "3b" else "pool4")(node)
        if module in ("4a", "4d") and flag(auxiliary, "googlenet: auxiliary"):
            heads.append(_head(node, count, f"auxiliary{len(heads) + 1}", conv))
    output = chain([GlobalAvgPool(), Dropout(0.2 if modern else 0.4), Linear(count), Softmax()], node)
    return Network(output, "googlenet", auxiliary=heads)


def _normalised(node: Node, channels: int, kernel_size: int, name: str, **options: Any) -> Node:
    return normalised(node, channels, kernel_size, name, epsilon=1e-3, **options)


def _stem(node: Node, conv: Convolution, modern: bool) -> Node:
    def norm(node: Node) -> Node:
        return node if modern else LocalResponseNorm(5, alpha=1e-4, beta=0.75)(node)

    node = conv(node, 64, 7, "conv1", stride=2, padding=3)
    node = norm(MaxPool2d(3, stride=2, ceil_mode=True, name="pool1")(node))
    node = conv(conv(node, 64, 1, "conv2_reduce"), 192, 3, "conv2", padding=1)
    return MaxPool2d(3, stride=2, ceil_mode=True, name="pool2")(norm(node))


def _inception(node: Node, widths: Widths, name: str, conv: Convolution, large: int) -> Node:
    one, before_three, three, before_five, five, after_pool = widths
    pooled = MaxPool2d(3, stride=1, padding=1, name=f"{name}/pool")(node)
    return Concatenate(name=name)(
        conv(node, one, 1, f"{name}/1x1"),
        conv(conv(node, before_three, 1, f"{name}/3x3_reduce"), three, 3, f"{name}/3x3", padding=1),
        conv(conv(node, before_five, 1, f"{name}/5x5_reduce"), five, large, f"{name}/5x5", padding=large // 2),
        conv(pooled, after_pool, 1, f"{name}/pool_projection"),
    )


def _head(node: Node, classes: int, name: str, conv: Convolution) -> Node:
    label = f"{name}/pool"
    pool = AvgPool2d(5, stride=3, name=label) if node.shape[1:] == (14, 14) else AdaptiveAvgPool2d(4, name=label)
    node = conv(pool(node), 128, 1, f"{name}/conv")
    layers = [
        Flatten(name=f"{name}/flatten"),
        Linear(1024, name=f"{name}/linear"),
        ReLU(name=f"{name}/relu"),
        Dropout(0.7, name=f"{name}/dropout"),
        Linear(classes, name=f"{name}/classifier"),
        Softmax(name=name),
    ]
    return chain(layers, node)
