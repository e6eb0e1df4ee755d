"""S-cells, C-cells and the contrast layer, each as a few layers that every network may use.

A cell plane is a channel. Names: the S-layer ``s2`` consists of ``s2/excitation`` (1 + e), ``s2/v`` (the V-cells),
``s2/inhibition`` (1 + h) and of what follows from them, and its output is called ``s2``.
"""

from __future__ import annotations

from typing import Any

from striate.layers import Conv2d, Multiply, Power, ReLU, Scale, Softsign, Sqrt
from striate.layers.base import Node

Padding = Any


def contrast_layer(node: Node, kernel_size: int, name: str) -> Node:
    """Return the outputs of on-centre and off-centre cells: ``max(0, +-sum of a[v] u0[n + v])``."""
    filtered = Conv2d(2, kernel_size, padding=kernel_size - 1, bias=False, name=f"{name}/filter")(node)
    return ReLU(name=name)(filtered)


def s_layer(node: Node, planes: int, kernel_size: int, selectivity: float, name: str, padding: Padding = 0) -> Node:
    """Return S-cells: excitation against shunting inhibition.

    ``u_S[k, n] = r * max(0, (1 + sum over c, v of a[k, c, v] u_C[c, n + v]) / (1 + r/(1 + r) * b[k] * v[n]) - 1)``,
    where the V-cell is the weighted root mean square of what the S-cell sees,
    ``v[n] = sqrt(sum over c, v of c[v] u_C[c, n + v]^2)``.

    Parameters
    ----------
    selectivity : float
        r: a cell fires where excitation exceeds r/(1 + r) times inhibition. As a threshold of similarity
        that is theta = r/(1 + r).

    References
    ----------
    Fukushima (1980), "Neocognitron", Biological Cybernetics 36, equations 1 and 3.
    """
    excitation = Conv2d(planes, kernel_size, padding=padding, name=f"{name}/excitation")(node)
    squares = Power(2, name=f"{name}/squares")(node)
    energy = Conv2d(1, kernel_size, padding=padding, bias=False, name=f"{name}/energy")(squares)
    v = Sqrt(name=f"{name}/v")(energy)
    inhibition = Conv2d(planes, 1, name=f"{name}/inhibition")(v)
    ratio = Multiply(name=f"{name}/ratio")(excitation, Power(-1, name=f"{name}/shunt")(inhibition))
    surplus = ReLU(name=f"{name}/surplus")(Scale(1, -1, name=f"{name}/difference")(ratio))
    return Scale(selectivity, name=name)(surplus)


def c_layer(
    node: Node, kernel_size: int, name: str, *, stride: int = 1, padding: Padding = 0, half: float = 1.0
) -> Node:
    """Return C-cells, each of which gathers the S-cells of one plane around a place.

    ``u_C[k, n] = x/(half + x)`` with ``x = max(0, sum over v of d[v] u_S[k, n + v])``.

    References
    ----------
    Fukushima (2003), "Neocognitron for handwritten digit recognition", Neurocomputing 51, section 2.4.
    """
    gathered = _gathered(node, kernel_size, name, stride, padding)
    return _saturated(ReLU(name=f"{name}/positive")(gathered), half, name)


def c_layer_1980(
    node: Node, kernel_size: int, name: str, *, stride: int = 1, padding: Padding = 0, half: float = 0.5
) -> Node:
    """Return C-cells with the lateral inhibition of 1980: what a plane gathers against the mean of all planes.

    ``u_C[k, n] = x/(half + x)`` with ``x = max(0, (1 + g[k, n])/(1 + mean over k of g[k, n]) - 1)`` and
    ``g[k, n] = sum over v of d[v] u_S[k, n + v]``; `half` is the paper's alpha.

    References
    ----------
    Fukushima (1980), "Neocognitron", Biological Cybernetics 36, equations 5 to 7.
    """
    gathered = _gathered(node, kernel_size, name, stride, padding)
    mean = Conv2d(1, 1, bias=False, name=f"{name}/mean")(gathered)
    shunt = Power(-1, name=f"{name}/shunt")(Scale(1, 1, name=f"{name}/inhibition")(mean))
    ratio = Multiply(name=f"{name}/ratio")(Scale(1, 1, name=f"{name}/excitation")(gathered), shunt)
    surplus = ReLU(name=f"{name}/positive")(Scale(1, -1, name=f"{name}/difference")(ratio))
    return _saturated(surplus, half, name)


def _gathered(node: Node, kernel_size: int, name: str, stride: int, padding: Padding) -> Node:
    planes = node.shape[0]
    options = {"stride": stride, "padding": padding, "groups": planes, "bias": False}
    return Conv2d(planes, kernel_size, name=f"{name}/gathered", **options)(node)


def _saturated(node: Node, half: float, name: str) -> Node:
    return Softsign(name=name)(node if half == 1.0 else Scale(1 / half, name=f"{name}/gain")(node))
