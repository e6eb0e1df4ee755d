"""Activations: layers of their own, and arguments of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.interop.keras.builder import Builder, one, translates
from striate.interop.keras.file import KerasError
from striate.interop.keras.graph import KerasLayer
from striate.interop.keras.weights import Arrays

ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "elu": ("Elu", {}),
    "selu": ("Selu", {}),
    "celu": ("Celu", {}),
    "gelu": ("Gelu", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "exponential": ("Exp", {}),
    "mish": ("Mish", {}),
    "hard_swish": ("HardSwish", {}),
    "hard_silu": ("HardSwish", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
}
CUT = {"relu6": (0.0, 6.0), "hard_tanh": (-1.0, 1.0)}


def activated(b: Builder, x: str, config: dict[str, Any]) -> str:
    """Return ``x`` after the activation that a layer names."""
    found: Any = config.get("activation") or "linear"
    if isinstance(found, dict):
        inner = found.get("config")
        found = inner if isinstance(inner, str) else (inner or {}).get("name") or found.get("class_name")
    name = str(found)
    if name == "linear":
        return x
    if name in CUT:
        return b.add("Clip", x, *CUT[name])
    if name in ("swish", "silu"):
        return b.add("Mul", x, b.add("Sigmoid", x))
    if name == "hard_sigmoid":
        return b.add("HardSigmoid", x, alpha=0.2 if b.version < 3 else 1 / 6, beta=0.5)
    if name in ("softmax", "log_softmax"):
        return b.add("Softmax" if name == "softmax" else "LogSoftmax", x, axis=b.place(x, -1))
    if name not in ACTIVATIONS:
        raise KerasError(f"{b.layer}: the activation {name[:60]!r} is not supported")
    operator, attributes = ACTIVATIONS[name]
    return b.add(operator, x, **attributes)


@translates("Activation")
def activation(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """By name."""
    return activated(b, one(layer, x), layer.config)


@translates("Relu", "Relu6", "Sigmoid", "Tanh", "Silu", "Softplus", "Softsign")
def function(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """A function that was called without a layer."""
    return activated(b, one(layer, x), {"activation": layer.kind.lower()})


@translates("ReLU")
def relu(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """With a slope or a largest value."""
    config = layer.config
    if config.get("threshold"):
        raise KerasError(f"{layer.name}: a threshold of ReLU is not supported")
    slope, most = float(config.get("negative_slope") or 0.0), config.get("max_value")
    y = b.add("LeakyRelu", one(layer, x), alpha=slope) if slope else b.add("Relu", one(layer, x))
    return y if most is None else b.add("Min", y, float(most))


@translates("LeakyReLU")
def leaky(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Its slope has had two names."""
    config = layer.config
    return b.add("LeakyRelu", one(layer, x), alpha=float(config.get("negative_slope", config.get("alpha", 0.3))))


@translates("PReLU")
def prelu(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """With a slope for every value, or shared along some axes."""
    value = one(layer, x)
    return b.add("PRelu", value, b.keras_constant(value, arrays[0]))


@translates("ELU")
def elu(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """``ELU`` with any alpha."""
    return b.add("Elu", one(layer, x), alpha=float(layer.config.get("alpha", 1.0)))


@translates("ThresholdedReLU")
def thresholded(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """``x`` above theta, 0 elsewhere."""
    return b.add("ThresholdedRelu", one(layer, x), alpha=float(np.asarray(layer.config.get("theta", 1.0))))


@translates("Softmax")
def softmax(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Over one axis."""
    value, axis = one(layer, x), layer.config.get("axis", -1)
    if isinstance(axis, list):
        if len(axis) > 1:
            raise KerasError(f"{layer.name}: a softmax over several axes is not supported")
        axis = axis[0]
    return b.add("Softmax", value, axis=b.place(value, axis))
