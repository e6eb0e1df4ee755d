"""Base of integer layers that add up products: fixed-point numbers, limits, and rounding of sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import ShapeError
from striate.layers.arguments import flag, integer, real
from striate.layers.base import Layer, Parameter, Quantisation, Shape, Window

LARGEST, LARGEST_WEIGHT, LARGEST_BIAS = 255, 127, 2**30
MULTIPLIER_BITS = 21  # with the 32 bits of a sum, the product is exact in a float64
MOST_TERMS = (2**31 - LARGEST_BIAS) // (LARGEST * LARGEST_WEIGHT)


def fixed_point(values: Any) -> np.ndarray:
    """Return the nearest numbers with at most 21 significant bits, float32.

    Examples
    --------
    >>> fixed_point([0.5, 0.1]).tolist()
    [0.5, 0.10000002384185791]
    """
    mantissa, exponent = np.frexp(np.asarray(values, np.float64))
    rounded = np.rint(np.ldexp(mantissa, MULTIPLIER_BITS))
    return np.asarray(np.ldexp(rounded, exponent - MULTIPLIER_BITS), np.float32)


@dataclass(frozen=True, repr=False, kw_only=True)
class QuantisedSums(Layer):
    """Base of integer layers that add up products.

    ``sum = bias[m] + sum over the window of weight[m] * (q - input_zero_point)`` in whole numbers; then
    ``out = clip(round(multiplier[m] * sum) + output_zero_point, low, 255)``, where ``low`` is 0, or with a ReLU the
    output's zero point. Without an output scale the output is ``multiplier[m] * sum`` as float32.

    Parameters
    ----------
    input_scale : float
        What a step of the input stands for.
    input_zero_point : int
        The whole number of the input that stands for 0.
    output_scale : float, optional
        The same of the output; None for floats.
    output_zero_point : int
    relu : bool
        Raise negative outputs to 0.
    """

    input_scale: float = 1.0
    input_zero_point: int = 0
    output_scale: float | None = None
    output_zero_point: int = 0
    relu: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "input_scale", scale_argument(self.input_scale, "input_scale"))
        put(self, "input_zero_point", integer(self.input_zero_point, "input_zero_point", 0, LARGEST))
        if self.output_scale is not None:
            put(self, "output_scale", scale_argument(self.output_scale, "output_scale"))
        put(self, "output_zero_point", integer(self.output_zero_point, "output_zero_point", 0, LARGEST))
        put(self, "relu", flag(self.relu, "relu"))

    @property
    def plain(self) -> Layer:
        """The float layer with the same shapes and costs."""
        raise NotImplementedError

    @property
    def low(self) -> int:
        """The smallest integer of the output."""
        return self.output_zero_point if self.relu else 0

    @property
    def formula(self) -> str:
        """One output value in symbols."""
        return self.rule_of_sum.replace("sum", f"(sum of weight * (q - {self.input_zero_point}) + bias)")

    @property
    def rule_of_sum(self) -> str:
        """How a sum is rounded, in symbols."""
        if self.output_scale is None:
            return "max(0, multiplier * sum)" if self.relu else "multiplier * sum"
        return f"clip(round(multiplier * sum) + {self.output_zero_point}, {self.low}, {LARGEST})"

    def weight_scales(self, multiplier: np.ndarray) -> np.ndarray:
        """Return the value of one step of each filter's weights, float64[M]."""
        return np.asarray(multiplier, np.float64) * (self.output_scale or 1.0) / self.input_scale

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the float layer; raises ShapeError if a sum has too many terms for 32 bits."""
        shape = self.plain.output_shape(*inputs)
        terms = self.plain.parameters(*inputs)[0].size // shape[0]
        if terms > MOST_TERMS:
            raise ShapeError(
                f"a 32-bit sum has at most {MOST_TERMS:,} products; got {terms:,}. Keep this layer in float32."
            )
        return shape

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight as int8, bias [M] as int32, and multiplier [M], a fixed-point number for each filter."""
        weight = self.plain.parameters(*inputs)[0]
        filters = (weight.shape[0],)
        return (
            Parameter("weight", weight.shape, weight.fan_in, weight.fan_out, "zeros", "int8"),
            Parameter("bias", filters, stored="int32"),
            Parameter("multiplier", filters, initial="ones"),
        )

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return that of the float layer."""
        return self.plain.multiply_adds(*inputs)

    def window(self, *inputs: Shape) -> Window | None:
        """Return that of the float layer."""
        return self.plain.window(*inputs)

    def quantisation(self, *inputs: Quantisation | None) -> Quantisation | None:
        """Return what the output's integers represent; the input must be integers with its zero point."""
        expect_zero_point(inputs[0], self.input_zero_point)
        return None if self.output_scale is None else Quantisation(self.output_scale, self.output_zero_point)


def scale_argument(value: Any, what: str) -> float:
    """Return a scale, which must be a number above 0."""
    return real(value, what, above=0)


def expect_zero_point(found: Quantisation | None, zero_point: int) -> None:
    """Raise ShapeError unless an input consists of integers with this zero point."""
    if found is None:
        raise ShapeError("takes integers from 0 to 255; got floats. Put Quantise before it.")
    if found.zero_point != zero_point:
        raise ShapeError(
            f"takes integers with the zero point {zero_point}; got {found.zero_point}. Make them equal."
        )
