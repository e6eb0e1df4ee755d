"""How far float32 may be from the exact result: roundings x unit roundoff x sum of |products|.

A sum of n products, in whatever order it is taken, differs from the exact one by at most ``gamma(n)`` times
the sum of the absolute values of the products (Higham 2002, "Accuracy and Stability of Numerical Algorithms",
section 3.1). So a bound needs two things of every operation: ``Roundings``, how many follow one another, and
``Magnitudes``, what is summed without its signs. Nothing here is fitted to what the kernels give.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.reference import Context, operation

from .draws import Case

UNIT = 2.0**-24
Arrays = dict[str, np.ndarray]
Inputs = tuple[np.ndarray, ...]


def gamma(n: float) -> float:
    """Return the largest relative error of n roundings one after the other."""
    return n * UNIT / (1.0 - n * UNIT)


@dataclass(frozen=True)
class Values:
    """Inputs and parameters (float64 that float32 holds exactly) of a case, and the context of its layer."""

    inputs: Inputs
    parameters: Arrays
    context: Context


@dataclass(frozen=True)
class Result:
    """An output with the gradients of inputs and parameters; or the sum of |terms| of each of their numbers."""

    output: np.ndarray
    inputs: Inputs
    parameters: Arrays


@dataclass(frozen=True)
class Roundings:
    """The longest chain of roundings in the output and in the gradients of inputs and parameters."""

    output: float
    inputs: float
    parameters: float


def exact(case: Case, values: Values, grad: np.ndarray) -> Result:
    """Return what the reference makes of ``values`` and of the gradient ``grad`` of its output."""
    op = operation(case.layer)
    output = op.forward(case.layer, values.parameters, *values.inputs, context=values.context)
    inputs, parameters = op.backward(
        case.layer, values.parameters, values.inputs, output, grad, context=values.context
    )
    return Result(output, inputs, parameters)


Magnitudes = Callable[[Case, Values, np.ndarray], Result]


def without_signs(case: Case, values: Values, grad: np.ndarray) -> Result:
    """Magnitudes of sums of products: the operation itself on absolute values."""
    absolute = Values(
        tuple(map(np.abs, values.inputs)), {k: np.abs(p) for k, p in values.parameters.items()}, values.context
    )
    return exact(case, absolute, np.abs(grad))


def selected(case: Case, values: Values, grad: np.ndarray) -> Result:
    """Magnitudes of operations that choose among their inputs: |output|, and the gradients without signs."""
    result = exact(case, values, np.abs(grad))
    return Result(np.abs(result.output), tuple(map(np.abs, result.inputs)), {
        k: np.abs(g) for k, g in result.parameters.items()
    })  # fmt: skip


def elementwise(
    forward: Callable[[Any, np.ndarray, np.ndarray], np.ndarray],
    slope: Callable[[Any, np.ndarray, np.ndarray], np.ndarray],
) -> Magnitudes:
    """Magnitudes of y = f(x), given those of f and f' as functions of (layer, x, y)."""

    def magnitudes(case: Case, values: Values, grad: np.ndarray) -> Result:
        (x,) = values.inputs
        y = operation(case.layer).forward(case.layer, values.parameters, x, context=values.context)
        return Result(forward(case.layer, x, y), (np.abs(grad) * slope(case.layer, x, y),), {})

    return magnitudes


def softmax(case: Case, values: Values, grad: np.ndarray) -> Result:
    """A power of e is off by what its exponent is off; then a sum over the channels, and a division."""
    (x,) = values.inputs
    result, g = exact(case, values, grad), np.abs(grad)
    depth = np.abs(x).max(axis=1, keepdims=True) * 4 + 12 + x.shape[1]
    if type(case.layer).__name__ == "LogSoftmax":
        p = np.exp(result.output)
        return Result(np.abs(result.output) + depth, (g + depth * p * g.sum(axis=1, keepdims=True),), {})
    p = result.output
    return Result(depth * p, (depth * p * (g + (g * p).sum(axis=1, keepdims=True)),), {})


def normalisation(axes: Callable[[Case, np.ndarray], tuple[np.ndarray, tuple[int, ...]]]) -> Magnitudes:
    """Magnitudes of (x - mean) / sqrt(variance + epsilon), whether the variance is summed of x^2 or of (x - mean)^2.

    ``axes`` returns x in a shape in which the mean is over some axes, and these axes.
    """

    def magnitudes(case: Case, values: Values, grad: np.ndarray) -> Result:
        (x,) = values.inputs
        view, over = axes(case, x)
        layer: Any = case.layer

        def mean(array: np.ndarray) -> np.ndarray:
            return array.mean(axis=over, keepdims=True)

        def shaped(array: np.ndarray) -> np.ndarray:
            return array.reshape(x.shape)

        weight, bias = (_along_channels(values.parameters.get(n), x) for n in ("weight", "bias"))
        inverse = 1.0 / np.sqrt(view.var(axis=over, keepdims=True) + layer.epsilon)
        spread = 1.0 + mean(view**2) * inverse**2  # the condition of the variance
        size = (np.abs(view) + mean(np.abs(view))) * inverse
        g = (np.abs(grad) * weight).reshape(view.shape)
        slope = inverse * spread * (g + mean(g) + size * mean(g * size))
        over_positions = tuple(i for i in range(x.ndim) if i != 1)
        terms = np.abs(grad) * shaped(size * spread)
        return Result(
            shaped(size * spread) * weight + bias,
            (shaped(slope),),
            {"weight": terms.sum(axis=over_positions), "bias": np.abs(grad).sum(axis=over_positions)},
        )

    return magnitudes


def _along_channels(parameter: np.ndarray | None, x: np.ndarray) -> np.ndarray:
    if parameter is None:
        return np.ones((1,) * x.ndim)
    return np.abs(parameter).reshape(1, -1, *(1,) * (x.ndim - 2))


def products(case: Case, batch: int) -> Roundings:
    """Roundings of convolutions and dense layers: the products that enter one number, and a bias."""
    layer: Any = case.layer
    (shape,), out = case.shapes, case.output_shape
    groups, taps = getattr(layer, "groups", 1), math.prod(getattr(layer, "kernel_size", ()))
    window = layer.window(shape)
    mirrored = getattr(layer, "padding_mode", "zeros") != "zeros"
    copies = math.prod(1 + sum(pair) for pair in window.padding) if mirrored else 1
    positions = max(math.prod(shape[1:]), math.prod(out[1:]))
    return Roundings(
        2 + shape[0] // groups * taps, 2 + out[0] // groups * taps * copies, 8 + batch * positions
    )


def terms(output: float, inputs: float = 0.0) -> Callable[[Case, int], Roundings]:
    """Fixed numbers of roundings; a parameter sums over all samples and positions."""

    def roundings(case: Case, batch: int) -> Roundings:
        return Roundings(output, inputs or output, output + batch * math.prod(case.output_shape[1:]))

    return roundings


def windows(case: Case, batch: int) -> Roundings:
    """Roundings of pooling: as many as a window has cells; as many as windows can cover one cell."""
    window = case.layer.window(*case.shapes)
    cells = math.prod(window.kernel) if window else math.prod(case.shapes[0][1:])
    return Roundings(cells + 3, cells + 3, cells + 3 + batch * math.prod(case.output_shape[1:]))
