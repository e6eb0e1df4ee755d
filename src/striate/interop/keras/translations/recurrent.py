"""Recurrent layers, in one direction or both, and layers applied at each position."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from striate.interop.keras.builder import TRANSLATIONS, Builder, one, translates
from striate.interop.keras.file import KerasError
from striate.interop.keras.graph import KerasLayer
from striate.interop.keras.weights import Arrays

OPERATORS = {"SimpleRNN": "RNN", "LSTM": "LSTM", "GRU": "GRU"}
GATES = {"SimpleRNN": (0,), "LSTM": (0, 3, 1, 2), "GRU": (0, 1, 2)}
"""Which gate of Keras each of ONNX's gates is."""
UNSUPPORTED = ("stateful", "time_major", "return_state")
MERGES = {"sum": "Add", "mul": "Mul", "ave": "Mean"}
POINTWISE = ("Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "Dropout", "LayerNormalization")


@translates(*OPERATORS)
def recurrent(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """The state at every position, or after the last."""
    return _states(b, layer, one(layer, x), arrays, bool(layer.config.get("go_backwards")))


@translates("Bidirectional")
def bidirectional(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """One layer from the beginning and one from the end, whose states are joined position by position."""
    value, half = one(layer, x), len(arrays) // 2
    forward = _inner(layer, layer.config["layer"])
    backward = forward
    if layer.config.get("backward_layer"):
        backward = _inner(layer, layer.config["backward_layer"])
    else:
        opposite = {"go_backwards": not forward.config.get("go_backwards")}
        backward = replace(forward, config=forward.config | opposite)
    if not {forward.kind, backward.kind} <= OPERATORS.keys():
        raise KerasError(f"{layer.name}: Bidirectional is only supported around {', '.join(OPERATORS)}")
    a = _states(b, forward, value, arrays[:half], bool(forward.config.get("go_backwards")))
    c = _states(b, backward, value, arrays[half:], not backward.config.get("go_backwards"))
    merge = layer.config.get("merge_mode", "concat")
    if merge == "concat":
        return b.add("Concat", a, c, axis=1)
    if merge not in MERGES:
        raise KerasError(f"{layer.name}: Bidirectional with merge_mode={merge!r} is not supported")
    return b.add(MERGES[merge], a, c)


@translates("TimeDistributed")
def time_distributed(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """A layer that treats every position alike does so without being told."""
    inner = _inner(layer, layer.config["layer"])
    if inner.kind not in POINTWISE:
        raise KerasError(f"{layer.name}: TimeDistributed is only supported around {', '.join(POINTWISE)}")
    return TRANSLATIONS[inner.kind](b, inner, x, arrays)


def _inner(layer: KerasLayer, item: dict[str, Any]) -> KerasLayer:
    """Return the layer that another one holds."""
    return KerasLayer(str(item["class_name"]), layer.name, item["config"])


def _states(b: Builder, layer: KerasLayer, x: str, arrays: Arrays, flip: bool) -> str:
    """Return all states [N, features, positions], in reverse with ``flip``, or the last [N, features]."""
    config = layer.config
    _check(layer, x, b)
    backwards = bool(config.get("go_backwards"))
    direction = "reverse" if backwards else "forward"
    series = b.add("Transpose", x, perm=(2, 0, 1))
    after = bool(config.get("reset_after")) if layer.kind == "GRU" else None
    weights = _weights(layer, arrays)
    y = b.add(
        OPERATORS[layer.kind], series, *weights, rank=4, hidden_size=int(config["units"]), direction=direction,
        linear_before_reset=after, activations=["Relu"] if config.get("activation") == "relu" else None,
    )  # fmt: skip
    if not config.get("return_sequences"):
        last = b.add("Gather", y, np.array(0 if backwards else -1), axis=0, rank=3)
        return b.add("Squeeze", last, np.array([0]), rank=2)
    found = b.add("Transpose", b.add("Squeeze", y, np.array([1]), rank=3), perm=(1, 2, 0))
    if not flip:
        return found
    return b.add("Slice", found, *(np.array([n]) for n in (-1, -(2**31), 2, -1)))


def _check(layer: KerasLayer, x: str, b: Builder) -> None:
    """Raise KerasError for what no layer here computes."""
    config = layer.config
    if b.ranks[x] != 3:
        raise KerasError(f"{layer.name}: {layer.kind} is only supported for series of vectors")
    set_ = [name for name in UNSUPPORTED if config.get(name)]
    if set_:
        raise KerasError(f"{layer.name}: {layer.kind} with {set_[0]}=True is not supported")
    usual = ("tanh", "relu") if layer.kind == "SimpleRNN" else ("tanh",)
    gates = "sigmoid" if layer.kind == "SimpleRNN" else config.get("recurrent_activation")
    if config.get("activation") not in usual or gates != "sigmoid":
        raise KerasError(f"{layer.name}: {layer.kind} is only supported with its usual activations")


def _weights(layer: KerasLayer, arrays: Arrays) -> Arrays:
    """Return the weights of ONNX: [1, gates * features, inputs], [1, gates * features, features] and biases."""
    kernel, own, *rest = arrays
    size = own.shape[0] * len(GATES[layer.kind])
    bias = rest[0] if rest else np.zeros(size, np.float32)
    both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])

    def ordered(array: np.ndarray) -> np.ndarray:
        parts = np.split(array, len(GATES[layer.kind]), axis=-1)
        return np.concatenate([parts[gate] for gate in GATES[layer.kind]], axis=-1)

    return [ordered(kernel).T[None], ordered(own).T[None], ordered(both).reshape(1, -1)]
