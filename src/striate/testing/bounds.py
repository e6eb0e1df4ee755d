"""How far float32 may be from the exact result: roundings x unit roundoff x sum of |products|.

A sum of n products, in whatever order it is taken, differs from the exact one by at most ``gamma(n)`` times
the sum of the absolute values of the products (Higham 2002, "Accuracy and Stability of Numerical Algorithms",
section 3.1). So a bound needs two things of every operation: ``Roundings``, how many follow one another, and
``Magnitudes``, what is summed without its signs. Nothing here is fitted to what the kernels give.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.reference import Context, operation
from striate.testing.draws import Case

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


def forward(case: Case, values: Values) -> np.ndarray:
    """Return the output of the reference."""
    context = dataclasses.replace(
        values.context, states={k: state.copy() for k, state in values.context.states.items()}
    )
    return operation(case.layer).forward(case.layer, values.parameters, *values.inputs, context=context)


def exact(case: Case, values: Values, grad: np.ndarray, output: np.ndarray | None = None) -> Result:
    """Return what the reference makes of ``values`` and of the gradient ``grad`` of its output."""
    output = forward(case, values) if output is None else output
    inputs, parameters = operation(case.layer).backward(
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


def products(case: Case, batch: int) -> Roundings:
    """Roundings of convolutions and dense layers: the products that enter one number, and a bias."""
    layer: Any = case.layer
    (shape,), out = case.shapes, case.output_shape
    groups, taps = getattr(layer, "groups", 1), math.prod(getattr(layer, "kernel_size", ()))
    window = layer.window(shape)
    mirrored = getattr(layer, "padding_mode", "zeros") != "zeros"
    copies = math.prod(1 + sum(pair) for pair in window.padding) if mirrored else 1
    positions = max(math.prod(shape[1:]), math.prod(out[1:]))
    return Roundings(2 + shape[0] // groups * taps, 2 + out[0] // groups * taps * copies, 8 + batch * positions)


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
