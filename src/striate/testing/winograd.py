"""Magnitudes of 3x3 convolutions by Winograd's algorithm F(4x4, 3x3), whose sums carry larger factors.

The bound is the usual one, with each of the three transforms taken without signs: for patches d, filters g and
gradients e of the outputs, |A'| [ |G| |g| |G'| * |B'| |d| |B| ] |A|, and so on (Barabasz et al. 2020, "Error
analysis and improving the accuracy of Winograd convolution for deep neural networks", section 3).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.engine.lowering.winograd import LEAST_CHANNELS
from striate.layers.convolution import Convolution
from striate.reference.padding import pad, pad_backward
from striate.testing.bounds import Result, Roundings, Values, products, without_signs
from striate.testing.draws import Case

B = np.array([[4, 0, 5, 0, 1, 0], [0, 4, 4, 1, 1, 0], [0, 4, 4, 1, 1, 0], [0, 2, 1, 2, 1, 0], [0, 2, 1, 2, 1, 0],
              [0, 4, 0, 5, 0, 1]], float)  # fmt: skip
A = np.array([[1, 1, 1, 1, 1, 0], [0, 1, 1, 2, 2, 0], [0, 1, 1, 4, 4, 0], [0, 1, 1, 8, 8, 1]], float)
G = np.array([[1 / 4, 0, 0], [1 / 6, 1 / 6, 1 / 6], [1 / 6, 1 / 6, 1 / 6], [1 / 24, 1 / 12, 1 / 6],
              [1 / 24, 1 / 12, 1 / 6], [0, 0, 1]])  # fmt: skip
ROUNDINGS = 40  # of the three transforms, two sides each, and of the entries of G


def may_apply(case: Case) -> bool:
    """Whether the planner may choose the algorithm for this convolution or for its input gradient."""
    layer = case.layer
    if not isinstance(layer, Convolution) or tuple(layer.kernel_size) != (3, 3):  # type: ignore[arg-type]
        return False
    plain = layer.groups == 1 and set(layer.stride) == set(layer.dilation) == {1}  # type: ignore[arg-type]
    return plain and layer.connections is None and min(layer.out_channels, case.shapes[0][0]) >= LEAST_CHANNELS


def patches(x: np.ndarray, before: tuple[int, int], size: Any, reach: int) -> np.ndarray:
    """Return [N, C, PY, PX, reach, reach]: what patches of 4 x 4 outputs meet, zeros outside."""
    rows, columns = (-(-n // 4) for n in size)
    x = x[:, :, max(0, -before[0]) :, max(0, -before[1]) :]
    before = max(0, before[0]), max(0, before[1])
    room = np.zeros((*x.shape[:2], 4 * rows + 8 + x.shape[2], 4 * columns + 8 + x.shape[3]))
    room[:, :, before[0] : before[0] + x.shape[2], before[1] : before[1] + x.shape[3]] = x
    view = np.lib.stride_tricks.sliding_window_view(room, (reach, reach), axis=(2, 3))
    return view[:, :, : 4 * rows : 4, : 4 * columns : 4]


def outputs(d: np.ndarray, g: np.ndarray, before: tuple[int, int], size: Any) -> np.ndarray:
    """Return the magnitudes of ``d`` [N, C, H, W] correlated with ``g`` [K, C, 3, 3]."""
    inner = B @ patches(d, before, size, 6) @ B.T
    product = np.einsum("kcij,ncyxij->nkyxij", G @ g @ G.T, inner, optimize=True)
    tiles = A @ product @ A.T
    n, k, y, x = tiles.shape[:4]
    return np.asarray(tiles.transpose(0, 1, 2, 4, 3, 5).reshape(n, k, 4 * y, 4 * x)[:, :, : size[0], : size[1]])


def filters(d: np.ndarray, e: np.ndarray, before: tuple[int, int]) -> np.ndarray:
    """Return the magnitudes of the gradient of the filters, [K, C, 3, 3]."""
    size = e.shape[2:]
    inner, outer = B @ patches(d, before, size, 6) @ B.T, A.T @ patches(e, (0, 0), size, 4) @ A
    return np.asarray(G.T @ np.einsum("nkyxij,ncyxij->kcij", outer, inner, optimize=True) @ G)


def magnitudes(case: Case, values: Values, grad: np.ndarray) -> Result:
    """Return those of the direct sums, or what stands for those of the algorithm where they bound more.

    The algorithm has larger terms but fewer of them in a sum; so its magnitudes, times its own number of
    roundings, are divided by that of the direct sum, which is what ``products`` states.
    """
    direct = without_signs(case, values, grad)
    layer: Any = case.layer
    if not may_apply(case):
        return direct
    weight, e = np.abs(values.parameters["weight"]), np.abs(grad)
    bias = np.abs(values.parameters.get("bias", np.zeros(1)))[:, None, None]
    pads, mode = layer.window(*case.shapes).padding, layer.padding_mode
    x = np.abs(pad(values.inputs[0], pads, mode))
    turned = weight[:, :, ::-1, ::-1].swapaxes(0, 1)
    if mode == "zeros":  # patches begin at the first value, not in the padding
        grad_x = outputs(e, turned, (2 - pads[0][0], 2 - pads[1][0]), case.shapes[0][1:])
    else:
        grad_x = pad_backward(outputs(e, turned, (2, 2), x.shape[2:]), pads, mode)
    output = outputs(x, weight, (0, 0), grad.shape[2:]) + bias
    own, sums = own_roundings(case, len(grad)), products(case, len(grad))
    grads = {**direct.parameters}
    grads["weight"] = np.maximum(grads["weight"], filters(x, e, (0, 0)) * (own.parameters / sums.parameters))
    return Result(
        np.maximum(direct.output, output * (own.output / sums.output)),
        (np.maximum(direct.inputs[0], grad_x * (own.inputs / sums.inputs)),),
        grads,
    )


def own_roundings(case: Case, batch: int) -> Roundings:
    """Sums over the channels, and for the gradient of filters over all patches; and the transforms."""
    patches_of = math.prod(-(-n // 4) for n in case.output_shape[1:])
    inputs, outputs_ = case.shapes[0][0], case.output_shape[0]
    return Roundings(inputs + ROUNDINGS, outputs_ + ROUNDINGS, batch * patches_of + ROUNDINGS)


def exact(case: Case) -> bool:
    """Sixths are not exact."""
    return not may_apply(case)
