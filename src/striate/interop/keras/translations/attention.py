"""Attention of several heads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.interop.keras.builder import Builder, translates
from striate.interop.keras.file import KerasError
from striate.interop.keras.graph import KerasLayer
from striate.interop.keras.weights import Arrays

PARTS = ("query", "key", "value", "output")


@translates("MultiHeadAttention")
def attention(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """``softmax(q k' / sqrt(d)) v`` for every head (Vaswani et al., 2017), over positions in one dimension."""
    if len(x) < 2 or any(b.ranks[item] != 3 for item in x) or len(arrays) != 8:
        raise KerasError(
            f"{layer.name}: MultiHeadAttention is only supported over one axis, with biases and no masks"
        )
    query, value, key = x[0], x[1], x[2] if len(x) > 2 else x[1]
    weights = dict(zip(PARTS, zip(arrays[::2], arrays[1::2], strict=True), strict=True))
    q, k, v = (_heads(b, item, *weights[name]) for item, name in ((query, "query"), (key, "key"), (value, "value")))
    scores = b.add("MatMul", q, b.add("Transpose", k, perm=(0, 1, 3, 2)))
    scores = b.add("Mul", scores, 1.0 / math.sqrt(weights["query"][0].shape[2]))
    mixed = b.add("Transpose", b.add("MatMul", b.add("Softmax", scores, axis=3), v), perm=(0, 2, 1, 3))
    kernel, bias = weights["output"]
    rows = b.add("Reshape", mixed, np.array([0, 0, -1]), rank=3)
    return b.from_keras(b.add("Add", b.add("MatMul", rows, kernel.reshape(-1, kernel.shape[-1])), bias))


def _heads(b: Builder, x: str, kernel: np.ndarray, bias: np.ndarray) -> str:
    """Return [N, heads, positions, numbers]."""
    rows = b.add("MatMul", b.as_keras(x), kernel.reshape(len(kernel), -1))
    rows = b.add("Add", rows, bias.ravel())
    apart = b.add("Reshape", rows, np.array([0, 0, *kernel.shape[1:]]), rank=4)
    return b.add("Transpose", apart, perm=(0, 2, 1, 3))
