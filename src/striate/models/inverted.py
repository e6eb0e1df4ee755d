"""Building blocks of MobileNet and EfficientNet: inverted residuals and squeeze-and-excitation."""

from __future__ import annotations

from striate.layers import Add, BatchNorm, Conv2d, GlobalAvgPool, HardTanh, Layer, Linear, Multiply
from striate.layers.base import Node


def divisible(value: float, by: int = 8) -> int:
    """Return the multiple of ``by`` nearest to ``value``, at most a tenth below it.

    Examples
    --------
    >>> [divisible(value) for value in (18, 20, 30)]
    [24, 24, 32]
    """
    rounded = max(by, int(value + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * value else rounded


def relu6(name: str) -> Layer:
    """Return ``min(max(x, 0), 6)``."""
    return HardTanh(0.0, 6.0, name=name)


def unit(
    x: Node,
    channels: int,
    kernel_size: int,
    name: str,
    activation: Layer | None,
    *,
    stride: int = 1,
    groups: int = 1,
    epsilon: float = 1e-5,
    flat: str | None = None,
) -> Node:
    """Return convolution, batch normalisation and an activation, named ``name/0`` and ``name/1``.

    ``flat`` is the name of the normalisation where both are named side by side.
    """
    first, second = (f"{name}/0", f"{name}/1") if flat is None else (name, flat)
    padding = (kernel_size - 1) // 2
    x = Conv2d(channels, kernel_size, stride, padding, groups=groups, bias=False, name=first)(x)
    x = BatchNorm(epsilon=epsilon, name=second)(x)
    return x if activation is None else activation(x)


def excited(x: Node, squeezed: int, name: str, inner: Layer, gate: Layer) -> Node:
    """Return ``x`` with every channel weighted by a gate computed from all channels.

    References
    ----------
    Hu, Shen and Sun (2018), "Squeeze-and-excitation networks", section 3.
    """
    weights = inner(Linear(squeezed, name=f"{name}/fc1")(GlobalAvgPool(name=f"{name}/pool")(x)))
    weights = gate(Linear(x.shape[0], name=f"{name}/fc2")(weights))
    return Multiply(name=f"{name}/scale")(x, weights)


def shortcut(x: Node, y: Node, stride: int, name: str) -> Node:
    """Return ``x + y`` where both have the same shape, else ``y``."""
    return Add(name=f"{name}/add")(x, y) if stride == 1 and x.shape == y.shape else y
