"""Recurrent layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.interop.onnx.writing.graph import GraphWriter, writes
from striate.layers.recurrent import Recurrent
from striate.network import Step

ORDERS = {"RNN": [0], "LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2]}
"""Which of striate's gates each gate of ONNX is."""


def reordered(array: np.ndarray, order: list[int]) -> np.ndarray:
    """Return the gates along the first axis in another order."""
    gates = np.split(array, len(order))
    return np.concatenate([gates[number] for number in order])


@writes(Recurrent)
def recurrent(graph: GraphWriter, step: Step) -> str:
    """``RNN``, ``LSTM`` or ``GRU``, which read [length, N, channels]."""
    layer: Any = step.layer
    kind = type(layer).__name__
    order, size = ORDERS[kind], len(ORDERS[kind]) * layer.features

    def stored(name: str) -> str:
        return graph.stored(step, name, reordered(graph.parameter(step, name), order)[np.newaxis])

    arguments = [stored("weight"), stored("recurrent_weight")]
    if layer.bias:
        bias = np.zeros((1, 2 * size), np.float32)
        bias[0, :size] = reordered(graph.parameter(step, "bias"), order)
        if getattr(layer, "reset_after", False):
            bias[0, -layer.features :] = graph.parameter(step, "recurrent_bias")
        arguments.append(graph.stored(step, "bias", bias))
    settings: dict[str, Any] = {"hidden_size": layer.features}
    settings |= {"direction": "reverse"} if layer.reverse else {}
    settings |= {"linear_before_reset": int(layer.reset_after)} if kind == "GRU" else {}
    settings |= {"activations": ["Relu"]} if getattr(layer, "activation", "tanh") == "relu" else {}
    series = graph.add("Transpose", *graph.inputs(step), perm=[2, 0, 1])
    found = graph.add("Squeeze", graph.add(kind, series, *arguments, **settings), graph.ints([1]))
    return graph.add("Transpose", found, perm=[1, 2, 0])
