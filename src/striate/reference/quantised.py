"""The meaning of layers that compute with whole numbers: exact sums and one rule of rounding, in int64."""

from __future__ import annotations

import numpy as np

from striate.layers.quantised import Quantise
from striate.layers.quantised_sums import LARGEST, LARGEST_BIAS, LARGEST_WEIGHT, MULTIPLIER_BITS, QuantisedSums
from striate.reference.convolution import per_channel
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define, operation

FAR = 2**9  # further from 0 than any result before it is clipped


def parts_of(multiplier: Array) -> tuple[Array, Array]:
    """Return int64 m and s of fixed-point numbers ``m / 2**s``, m with at most 21 bits; others are cut off."""
    mantissa, exponent = np.frexp(np.asarray(multiplier, np.float64))
    whole = np.trunc(np.ldexp(mantissa, MULTIPLIER_BITS)).astype(np.int64)
    return whole, (MULTIPLIER_BITS - exponent).astype(np.int64)


def requantise(sums: Array, multiplier: Array, zero_point: int, low: int = 0) -> Array:
    """Return ``clip(round(multiplier * sums) + zero_point, low, 255)``, halves rounded to even.

    Parameters
    ----------
    sums : int64, of less than 32 bits
    multiplier : float, broadcast over the sums
        Fixed-point numbers.

    Examples
    --------
    >>> requantise(np.array([1, 2, 3, 1000]), np.array([0.5]), 10).tolist()
    [10, 11, 12, 255]
    """
    whole, power = parts_of(multiplier)
    product = np.asarray(sums, np.int64) * whole
    right, left = np.clip(power, 1, 62), np.clip(1 - power, 0, 40)
    product = np.where(left > 0, np.clip(product, -FAR, FAR) << left, product)
    floor = product >> right
    rest, half = product - (floor << right), np.int64(1) << (right - 1)
    rounded = floor + ((rest > half) | ((rest == half) & (floor % 2 == 1)))
    return np.asarray(np.clip(rounded + zero_point, low, LARGEST))


def whole_sums(layer: QuantisedSums, parameters: Arrays, q: Array) -> Array:
    """Return ``bias + sum of weight * (q - input_zero_point)``, int64; float64 sums of such numbers are exact."""
    weight, bias = whole_parameters(parameters)
    context = Context()
    inputs = np.clip(np.rint(q), 0, LARGEST) - layer.input_zero_point
    plain = {"weight": weight, "bias": bias}
    return operation(layer.plain).forward(layer.plain, plain, inputs, context=context).astype(np.int64)


def whole_parameters(parameters: Arrays) -> tuple[Array, Array]:
    """Return weight and bias as whole numbers within their ranges, float64."""
    weight = np.clip(np.rint(parameters["weight"]), -LARGEST_WEIGHT, LARGEST_WEIGHT)
    return weight, np.clip(np.rint(parameters["bias"]), -LARGEST_BIAS, LARGEST_BIAS)


def finished(layer: QuantisedSums, sums: Array, multiplier: Array) -> Array:
    """Return what a layer makes of its sums (int64): whole numbers, or float32 values, as float64."""
    if layer.output_scale is not None:
        return requantise(sums, multiplier, layer.output_zero_point, layer.low).astype(np.float64)
    whole, power = parts_of(multiplier)
    out = np.ldexp((sums * whole).astype(np.float64), -power).astype(np.float32).astype(np.float64)
    return np.asarray(np.maximum(out, 0.0) if layer.relu else out)


@define(QuantisedSums)
class _QuantisedSums:
    """``whole_sums``, requantised or multiplied; the gradient takes rounding for the identity."""

    @staticmethod
    def forward(layer: QuantisedSums, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        sums = whole_sums(layer, parameters, inputs[0])
        return finished(layer, sums, per_channel(parameters["multiplier"], sums.ndim))

    @staticmethod
    def backward(
        layer: QuantisedSums,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        reached = grad_output * per_channel(parameters["multiplier"], grad_output.ndim)
        if layer.output_scale is not None:
            reached = reached * ((output > layer.low) & (output < LARGEST))
        elif layer.relu:
            reached = reached * (output > 0)
        weight, bias = whole_parameters(parameters)
        x, plain = inputs[0] - layer.input_zero_point, layer.plain
        (grad_x,), _ = operation(plain).backward(
            plain, {"weight": weight, "bias": bias}, (x,), output, reached, context
        )
        return (grad_x,), {name: np.zeros_like(values) for name, values in parameters.items()}


@define(Quantise)
class _Quantise:
    """``clip(round(multiplier * x) + zero_point, 0, 255)``, 0 for NaN; of a float32 x the product is exact."""

    @staticmethod
    def forward(layer: Quantise, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x = inputs[0].astype(np.float32).astype(np.float64)
        return np.asarray(
            np.clip(
                np.rint(np.nan_to_num(x * layer.multiplier, nan=-np.inf, posinf=np.inf, neginf=-np.inf))
                + layer.zero_point,
                0,
                LARGEST,
            )
        )

    @staticmethod
    def backward(
        layer: Quantise, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        return (grad_output * layer.multiplier * ((output > 0) & (output < LARGEST)),), {}
