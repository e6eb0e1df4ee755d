"""Normalisations."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.interop.keras.builder import Builder, one, translates
from striate.interop.keras.file import KerasError
from striate.interop.keras.graph import KerasLayer
from striate.interop.keras.weights import Arrays


def _axis(layer: KerasLayer) -> int:
    axis = layer.config.get("axis", -1)
    axes = axis if isinstance(axis, list | tuple) else [axis]
    if len(axes) != 1:
        raise KerasError(f"{layer.name}: {layer.kind} over several axes is not supported")
    return int(axes[0])


def _learnt(layer: KerasLayer, arrays: Arrays, count: int) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """Return gamma and beta, 1 and 0 where they are not learnt, and the other arrays."""
    rest = list(arrays)
    gamma = rest.pop(0) if layer.config.get("scale", True) else np.ones(count, np.float32)
    beta = rest.pop(0) if layer.config.get("center", True) else np.zeros(count, np.float32)
    return gamma, beta, rest


@translates("BatchNormalization")
def batch_norm(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """gamma and beta where they are learnt, then the running mean and variance."""
    value = one(layer, x)
    place, rank = b.place(value, _axis(layer)), b.ranks[value]
    gamma, beta, (mean, variance) = _learnt(layer, arrays, arrays[-1].size)
    order = (0, place, *(axis for axis in range(1, rank) if axis != place))
    moved = value if place == 1 else b.add("Transpose", value, perm=order)
    epsilon = float(layer.config.get("epsilon", 1e-3))
    y = b.add("BatchNormalization", moved, gamma, beta, mean, variance, epsilon=epsilon)
    return y if place == 1 else b.add("Transpose", y, perm=tuple(int(n) for n in np.argsort(order)))


@translates("LayerNormalization")
def layer_norm(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Over the last axis of Keras."""
    value = one(layer, x)
    if _axis(layer) % b.ranks[value] != b.ranks[value] - 1 or layer.config.get("rms_scaling"):
        raise KerasError(f"{layer.name}: LayerNormalization is only supported over the last axis")
    if not arrays:
        raise KerasError(f"{layer.name}: LayerNormalization without gamma and beta is not supported")
    gamma, beta, _ = _learnt(layer, arrays, arrays[0].size)
    epsilon = float(layer.config.get("epsilon", 1e-3))
    y = b.add("LayerNormalization", b.as_keras(value), gamma, beta, axis=-1, epsilon=epsilon)
    return b.from_keras(y)


@translates("GroupNormalization")
def group_norm(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Groups of channels."""
    value = one(layer, x)
    if b.place(value, _axis(layer)) != 1 or not arrays:
        raise KerasError(
            f"{layer.name}: GroupNormalization is only supported over the channels, with gamma or beta"
        )
    gamma, beta, _ = _learnt(layer, arrays, arrays[0].size)
    groups = int(layer.config.get("groups", 32))
    groups = gamma.size if groups == -1 else groups
    epsilon = float(layer.config.get("epsilon", 1e-3))
    return b.add("GroupNormalization", value, gamma, beta, num_groups=groups, epsilon=epsilon)


@translates("Normalization")
def normalisation(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """``(x - mean) / sqrt(variance)`` with numbers of the training data."""
    value, config = one(layer, x), layer.config
    if config.get("invert"):
        raise KerasError(f"{layer.name}: the inverse of a normalisation is not supported")
    given = (config.get("mean"), config.get("variance"))
    mean, variance = (np.asarray(a, np.float32) for a in (given if given[0] is not None else arrays[:2]))
    axis = config.get("axis", -1)
    axes = axis if isinstance(axis, list | tuple) else [] if axis is None else [axis]
    if len(axes) > 1 or (axes and axes[0] not in (-1, b.ranks[value] - 1)):
        raise KerasError(f"{layer.name}: a normalisation is only supported over the last axis")
    root = np.maximum(np.sqrt(variance), 1e-7)
    mean, root = (b.keras_constant(value, a.reshape(-1)) for a in (mean, root))
    return b.add("Div", b.add("Sub", value, mean), root)


@translates("UnitNormalization")
def unit_norm(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Vectors of length 1."""
    value = one(layer, x)
    return b.add("LpNormalization", value, axis=b.place(value, _axis(layer)), p=2)
