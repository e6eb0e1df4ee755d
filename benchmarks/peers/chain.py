"""The chains of layers that the translators for Keras and JAX understand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.peers import NotTranslated
from striate.layers import Flatten, Linear, ReLU, Sigmoid, Softmax, Tanh
from striate.layers.convolution import Convolution
from striate.layers.pooling import AvgPooling, MaxPooling
from striate.layers.shape import InputLayer
from striate.network import Network

ACTIVATIONS = {ReLU: "relu", Sigmoid: "sigmoid", Tanh: "tanh"}


@dataclass(frozen=True)
class Stage:
    """One layer: what it is, its numbers, and how it pads."""

    kind: str
    features: int = 0
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: str = "VALID"
    fan_in: int = 0
    activation: str = ""


def stages(network: Network) -> list[Stage]:
    """Return the layers of a chain, without a softmax at the end.

    Raises
    ------
    NotTranslated
        If the network has another layer, or is not a chain.
    """
    steps = [step for step in network.steps if not isinstance(step.layer, InputLayer)]
    if isinstance(steps[-1].layer, Softmax):
        steps = steps[:-1]
    names = [network.steps[0].name] + [step.name for step in steps]
    if any(step.inputs != (name,) for step, name in zip(steps, names, strict=False)):
        raise NotTranslated("not a chain")
    return [_stage(step.layer, step.input_shapes[0]) for step in steps]


def batches(x: np.ndarray, batch: int) -> list[np.ndarray]:
    """Return the batches of ``x`` scaled to 0 to 1, channels last, as both peers are fastest."""
    inputs = np.ascontiguousarray(np.moveaxis(x.astype(np.float32) / 255, 1, -1))
    return [inputs[first : first + batch] for first in range(0, len(x) - batch + 1, batch)]


def _stage(layer: Any, shape: tuple[int, ...]) -> Stage:
    if type(layer) in ACTIVATIONS:
        return Stage("activation", activation=ACTIVATIONS[type(layer)])
    if isinstance(layer, Flatten):
        return Stage("flatten")
    if isinstance(layer, Linear):
        return Stage("linear", layer.out_features, fan_in=shape[0])
    window = layer.window(shape)
    if isinstance(layer, Convolution | MaxPooling | AvgPooling) and set(window.dilation or (1,)) == {1}:
        padding = _padding(window, shape)
        if isinstance(layer, Convolution) and layer.groups == 1 and layer.bias and not layer.connections:
            fan_in = shape[0] * math.prod(window.kernel)
            return Stage("convolution", layer.out_channels, window.kernel, window.stride, padding, fan_in)
        if not isinstance(layer, Convolution):
            kind = "maximum" if isinstance(layer, MaxPooling) else "average"
            return Stage(kind, shape[0], window.kernel, window.stride, padding)
    raise NotTranslated(type(layer).__name__)


def _padding(window: Any, shape: tuple[int, ...]) -> str:
    if not any(map(any, window.padding)):
        return "VALID"
    kept = [
        -(-n // stride) == (n + sum(pair) - kernel) // stride + 1
        for n, pair, kernel, stride in zip(shape[1:], window.padding, window.kernel, window.stride, strict=True)
    ]
    if not all(kept):
        raise NotTranslated(f"padding {window.padding}")
    return "SAME"
