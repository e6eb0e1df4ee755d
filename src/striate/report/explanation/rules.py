"""How each layer computes a value, in a form that the page can compute too."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from striate.explain.decompositions.functions import formula
from striate.explain.decompositions.grid import window_positions
from striate.explain.tracing import Trace
from striate.layers import activation, arithmetic
from striate.layers.activation import Activation
from striate.layers.base import Shape, Window
from striate.layers.convolution import Convolution
from striate.layers.dense import Linear
from striate.layers.normalisation import BatchNorm
from striate.layers.pooling import AvgPooling, LpPooling, MaxPooling
from striate.layers.regularisation import Regulariser
from striate.layers.shape import Flatten, InputLayer, Reshape
from striate.layers.subsampling import Subsampling
from striate.network import Step
from striate.reference.pooling import average_sizes

FUNCTIONS: dict[type[Activation], tuple[str, ...]] = {
    activation.Identity: (),
    activation.ReLU: (),
    activation.LeakyReLU: ("slope",),
    activation.ELU: ("alpha",),
    activation.SELU: ("alpha", "scale"),
    activation.SiLU: (),
    activation.Softplus: ("beta",),
    activation.Sigmoid: (),
    activation.Tanh: (),
    activation.HardSigmoid: (),
    activation.HardTanh: ("low", "high"),
    activation.HardSwish: (),
    activation.Step: (),
}
"""Activations that the page computes, with their arguments."""
MOST_WEIGHTS = 450_000
"""Numbers of all weights together that a page holds."""
MOST_TEXTS = 3000
"""Values of a layer for which finished texts are stored, where the page cannot compute them."""


def pack(values: np.ndarray, wide: bool = False) -> dict[str, str]:
    """Return an array as text: base64 of little-endian float32, or float64 if ``wide``."""
    kind = "<f8" if wide else "<f4"
    return {
        "type": kind[1:],
        "data": base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode("ascii"),
    }


class Rules:
    """Makes the rules of one trace; weights are taken as long as the page has room."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.room = MOST_WEIGHTS

    def of(self, step: Step) -> dict[str, Any]:
        """Return the rule of a layer as JSON types, with ``kind`` naming the function of the page."""
        weights = {slot.spec.name: slot.view(self.trace.model.theta) for slot in step.parameters}
        size = sum(values.size for values in weights.values())
        if size > self.room:
            return {"kind": "none", "why": f"the {size:,} weights of this layer are not part of the page"}
        self.room -= size
        found = self._simple(step, weights) or self._windowed(step, weights)
        return found or self._texts(step)

    def _simple(self, step: Step, weights: dict[str, np.ndarray]) -> dict[str, Any] | None:
        layer = step.layer
        if isinstance(layer, InputLayer):
            made = self.trace.model.normalisation
            scale = None if made is None else {"mean": list(made.mean), "scale": list(made.scale)}
            return {"kind": "given", "raw": pack(self.trace.raw, wide=True), "normalisation": scale}
        if isinstance(layer, Linear):
            return {"kind": "dense", "weight": pack(weights["weight"]), "bias": _numbers(weights.get("bias"))}
        if isinstance(layer, Activation) and type(layer) in FUNCTIONS:
            arguments = {name: float(getattr(layer, name)) for name in FUNCTIONS[type(layer)]}
            return {
                "kind": "function",
                "name": type(layer).__name__,
                "arguments": arguments,
                "text": formula(layer),
            }
        return self._joined(step) or self._affine(step, weights)

    def _joined(self, step: Step) -> dict[str, Any] | None:
        """Return the rule of layers that compare, move or join numbers."""
        layer = step.layer
        if isinstance(layer, activation.Softmax | activation.LogSoftmax):
            return {"kind": "softmax", "log": isinstance(layer, activation.LogSoftmax)}
        if isinstance(layer, Flatten | Reshape | Regulariser):
            return {"kind": "same"}
        if isinstance(layer, arithmetic.Add) and set(step.input_shapes) == {step.shape}:
            return {"kind": "add"}
        if isinstance(layer, arithmetic.Concatenate):
            return {"kind": "concatenate"}
        return None

    def _affine(self, step: Step, weights: dict[str, np.ndarray]) -> dict[str, Any] | None:
        """Return the rule of layers that multiply and shift each channel."""
        layer, count = step.layer, step.shape[0]
        if isinstance(layer, arithmetic.Scale):
            return {"kind": "affine", "factor": [layer.factor] * count, "shift": [layer.shift] * count}
        weight = weights.get("weight", np.ones(count)).astype(np.float64)
        bias = weights.get("bias", np.zeros(count)).astype(np.float64)
        if isinstance(layer, arithmetic.ChannelScale):
            return {"kind": "affine", "factor": weight.tolist(), "shift": bias.tolist()}
        if isinstance(layer, BatchNorm):
            states = self.trace.run.contexts[step.name].states
            factor = weight / np.sqrt(states["running_variance"] + layer.epsilon)
            shift = bias - states["running_mean"] * factor
            return {"kind": "affine", "factor": factor.tolist(), "shift": shift.tolist()}
        return None

    def _windowed(self, step: Step, weights: dict[str, np.ndarray]) -> dict[str, Any] | None:
        layer = step.layer
        shape = step.input_shapes[0] if step.input_shapes else ()
        if isinstance(layer, Convolution):
            axes = _tables(layer.window(shape), shape[1:], step.shape[1:], layer.padding_mode)
            table = None if layer.connections is None else [list(row) for row in layer.connections]
            packed = {"weight": pack(weights["weight"]), "bias": _numbers(weights.get("bias"))}
            return {"kind": "convolution", "axes": axes, "groups": layer.groups, "connections": table, **packed}
        if not isinstance(layer, MaxPooling | AvgPooling | LpPooling | Subsampling):
            return None
        rule: dict[str, Any] = {"kind": "pooling", "axes": _tables(layer.window(shape), shape[1:], step.shape[1:])}
        if isinstance(layer, MaxPooling):
            return {**rule, "how": "maximum"}
        if isinstance(layer, AvgPooling):
            sizes = np.broadcast_to(average_sizes(layer, shape), step.shape[1:])
            return {**rule, "how": "mean", "sizes": sizes.ravel().astype(int).tolist()}
        if isinstance(layer, LpPooling):
            return {**rule, "how": "norm", "power": layer.power}
        return {**rule, "how": "sum", "weight": _numbers(weights["weight"]), "bias": _numbers(weights["bias"])}

    def _texts(self, step: Step) -> dict[str, Any]:
        """Return finished texts for a layer that the page does not compute."""
        count = int(np.prod(step.shape))
        if count > MOST_TEXTS:
            return {"kind": "none", "why": "the page does not compute this kind of layer"}
        whys = [
            self.trace.why_at(step.name, tuple(map(int, np.unravel_index(n, step.shape)))) for n in range(count)
        ]
        return {
            "kind": "text",
            "texts": [str(why) for why in whys],
            "sums": [why.decomposition.result for why in whys],
        }


def _numbers(values: np.ndarray | None) -> list[float] | None:
    return None if values is None else [float(value) for value in values]


def _tables(window: Window, space: Shape, positions: Shape, mode: str = "zeros") -> list[list[list[int]]]:
    """Return for each axis and position of the output where the taps lie in the input; -1 beyond the edge."""
    tables = []
    for axis, count in enumerate(positions):
        at = [tuple(p if other == axis else 0 for other in range(len(positions))) for p in range(count)]
        tables.append([window_positions(window, space, place, mode)[axis].tolist() for place in at])
    return tables
