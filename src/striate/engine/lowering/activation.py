"""Activations: in the layer before them where it can clip at 0, else one pass over the values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.lowering.elementwise import emit_elementwise
from striate.engine.rules import RULES, SAMPLES
from striate.layers import activation, functions
from striate.layers.activation import Activation
from striate.layers.base import Layer
from striate.network import Step

OTHERS = (activation.Identity, activation.PReLU, activation.Softmax, activation.LogSoftmax)
"""Activations with rules of their own."""
FUNCTIONS: list[type[Layer]] = [
    layer
    for module in (activation, functions)
    for layer in vars(module).values()
    if isinstance(layer, type) and issubclass(layer, Activation) and layer not in (Activation, *OTHERS)
]
"""Layers that are a function of ``kernels.functions``: the one named like their kind, of up to two arguments."""
SPECIAL: dict[type[Layer], Callable[[Any], tuple[str, float, float]]] = {
    functions.Absolute: lambda layer: ("absolute", 0.0, 0.0),
    activation.ELU: lambda layer: ("elu", layer.alpha, 1.0),
    activation.SELU: lambda layer: ("elu", layer.alpha, layer.scale),
    activation.GELU: lambda layer: ("gelu" if layer.approximate == "none" else "gelu_tanh", 0.0, 0.0),
    functions.Power: lambda layer: (
        "whole_power" if layer.exponent.is_integer() and abs(layer.exponent) <= 64 else "real_power",
        layer.exponent,
        0.0,
    ),
}
"""Those that mean another function than their kind, or other numbers than their arguments."""


def function_of(step: Step) -> tuple[str, float, float]:
    """Return the name of the function that a layer means, and its two numbers."""
    layer = step.layer
    if type(layer) in SPECIAL:
        return SPECIAL[type(layer)](layer)
    numbers = [float(getattr(layer, field.name)) for field in fields(layer) if field.name != "name"]
    a, b, *_ = (*numbers, 0.0, 0.0)
    return layer.kind, a, b


def _forward(lowering: Lowering, step: Step) -> None:
    x = lowering.values[step.inputs[0]]
    if step.name in lowering.facts.fused:
        lowering.values[step.name] = x
        return
    out = lowering.allocate(step, like=x)
    function, a, b = function_of(step)
    emit_elementwise(lowering, "activation", (function,), {"x": x, "out": out}, a=a, b=b)


def _backward(lowering: Lowering, step: Step) -> None:
    source = step.inputs[0]
    if source not in lowering.needed:
        return
    grad = lowering.gradients[step.name]
    in_place = step.name in lowering.facts.fused or source not in lowering.gradients
    if in_place:  # nothing has been added to the gradient of the input: it takes the place of the output's
        lowering.gradients[source] = grad
        if step.name in lowering.facts.masked:
            return
    x, out = lowering.values[source], lowering.values[step.name]
    grad_x, accumulate = lowering.gradients[source], 0 if in_place else 1
    buffers = {"x": x, "y": out, "grad_y": grad, "grad_x": grad_x}
    function, a, b = function_of(step)
    emit_elementwise(lowering, "activation_gradient", (function,), buffers, accumulate=accumulate, a=a, b=b)


def _softmax_tables(step: Step, *buffers: Buffer) -> dict[str, Any]:
    """Return the places of the channels, and of the positions at which softmax is taken, in each buffer."""
    if len(step.shape) == 1:
        features, groups = [b.features() for b in buffers], [np.zeros(1, np.int64)] * len(buffers)
    else:
        features, groups = [b.channels() for b in buffers], [b.positions() for b in buffers]
    return {
        "features": np.stack(features, axis=1),
        "count": len(features[0]),
        "groups": np.stack(groups, axis=1),
        "group_count": len(groups[0]),
    }


_OVER_CHANNELS: dict[type[Layer], str] = {activation.Softmax: "softmax", activation.LogSoftmax: "log_softmax"}


def _softmax_forward(lowering: Lowering, step: Step) -> None:
    x = lowering.values[step.inputs[0]]
    out = lowering.allocate(step, like=x)
    lowering.emit(
        f"loss.{_OVER_CHANNELS[type(step.layer)]}",
        x=lowering.place(x),
        out=lowering.place(out),
        **_softmax_tables(step, x, out),
        blocks=x.blocks,
        x_block=x.block,
        out_block=out.block,
    )


def _softmax_backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    y, grad = lowering.values[step.name], lowering.gradients[step.name]
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    lowering.emit(
        f"loss.{_OVER_CHANNELS[type(step.layer)]}_gradient",
        y=lowering.place(y),
        grad_y=lowering.place(grad),
        grad_x=lowering.place(grad_x),
        **_softmax_tables(step, y, grad, grad_x),
        blocks=y.blocks,
        y_block=y.block,
        grad_y_block=grad.block,
        grad_x_block=grad_x.block,
        accumulate=accumulate,
    )


for _layer in FUNCTIONS:
    RULES[SAMPLES, _layer] = Rule(_forward, _backward)
for _layer in _OVER_CHANNELS:
    RULES[SAMPLES, _layer] = Rule(_softmax_forward, _softmax_backward)
