"""Dense layers, sums, products and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.interop.keras.builder import Builder, one, translates
from striate.interop.keras.file import KerasError
from striate.interop.keras.graph import KerasLayer
from striate.interop.keras.translations.activations import activated
from striate.interop.keras.weights import Arrays


@translates("Dense")
def dense(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Over the last axis of Keras."""
    value, biased = one(layer, x), layer.config.get("use_bias", True)
    if b.ranks[value] == 2 and biased:
        return activated(b, b.add("Gemm", value, arrays[0], arrays[1]), layer.config)
    y = b.add("MatMul", b.as_keras(value), arrays[0])
    y = b.add("Add", y, arrays[1]) if biased else y
    return activated(b, b.from_keras(y), layer.config)


JOINED = {
    "Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "Divide": "Div", "TrueDivide": "Div",
    "Maximum": "Max", "Minimum": "Min", "Average": "Add",
}  # fmt: skip
LAMBDAS = {
    "__operators__.add": "Add", "math.add": "Add", "math.subtract": "Sub", "math.multiply": "Mul",
    "math.truediv": "Div", "math.divide": "Div", "math.maximum": "Max", "math.minimum": "Min",
}  # fmt: skip
"""Functions that TensorFlow models call without a layer."""


def _joined(b: Builder, operator: str, x: list[Any]) -> str:
    total, *others = x
    for other in others:
        total = b.add(operator, total, other)
    return str(total) if others else b.add("Identity", total)


@translates(*JOINED)
def joined(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """All inputs, from the left; also by the functions of the same names."""
    total = _joined(b, JOINED[layer.kind], x)
    return b.add("Mul", total, 1.0 / len(x)) if layer.kind == "Average" else total


@translates("TFOpLambda")
def lambdas(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """A function of TensorFlow by its name."""
    name = str(layer.config.get("function"))
    if name not in LAMBDAS or len(x) != 2:
        raise KerasError(f"{layer.name}: the function {name[:60]!r} is not supported")
    return _joined(b, LAMBDAS[name], x)


@translates("Concatenate")
def concatenate(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Along any axis."""
    return b.add("Concat", *x, axis=b.place(x[0], layer.config.get("axis", -1)))


@translates("LayerScale")
def layer_scale(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """One factor for each channel, as in ConvNeXt."""
    value = one(layer, x)
    return b.add("Mul", value, b.keras_constant(value, arrays[0]))


@translates("CustomScaleLayer")
def residual(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """``x + scale * y``, as in Inception-ResNet."""
    value, branch = x
    return b.add("Add", value, b.add("Mul", branch, float(layer.config.get("scale", 1.0))))


@translates("Rescaling")
def rescaling(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """``x * scale + offset``, numbers or one for each channel."""
    value = one(layer, x)
    for operator, key, usual in (("Mul", "scale", 1.0), ("Add", "offset", 0.0)):
        numbers = np.asarray(layer.config.get(key, usual), np.float32)
        value = b.add(operator, value, b.keras_constant(value, numbers) if numbers.ndim else numbers)
    return value
