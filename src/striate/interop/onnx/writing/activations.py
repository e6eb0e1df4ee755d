"""Activations as ONNX operators, or as their parts where ONNX 17 has none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.interop.onnx.writing.graph import TRANSLATIONS, GraphWriter, writes
from striate.layers import activation, functions
from striate.layers.base import Layer
from striate.network import Step

OPERATORS: dict[type[Layer], tuple[str, Any]] = {
    activation.Identity: ("Identity", lambda layer: {}),
    activation.ReLU: ("Relu", lambda layer: {}),
    activation.LeakyReLU: ("LeakyRelu", lambda layer: {"alpha": layer.slope}),
    activation.ELU: ("Elu", lambda layer: {"alpha": layer.alpha}),
    activation.SELU: ("Selu", lambda layer: {"alpha": layer.alpha, "gamma": layer.scale}),
    activation.Sigmoid: ("Sigmoid", lambda layer: {}),
    activation.Tanh: ("Tanh", lambda layer: {}),
    activation.HardSigmoid: ("HardSigmoid", lambda layer: {"alpha": 1 / 6, "beta": 0.5}),
    activation.HardSwish: ("HardSwish", lambda layer: {}),
    activation.Softmax: ("Softmax", lambda layer: {"axis": 1}),
    activation.LogSoftmax: ("LogSoftmax", lambda layer: {"axis": 1}),
    functions.Absolute: ("Abs", lambda layer: {}),
    functions.CELU: ("Celu", lambda layer: {"alpha": layer.alpha}),
    functions.Erf: ("Erf", lambda layer: {}),
    functions.Exp: ("Exp", lambda layer: {}),
    functions.Log: ("Log", lambda layer: {}),
    functions.Sin: ("Sin", lambda layer: {}),
    functions.Softsign: ("Softsign", lambda layer: {}),
    functions.Sqrt: ("Sqrt", lambda layer: {}),
}
"""One operator each, and its attributes."""


def _operator(graph: GraphWriter, step: Step) -> str:
    name, attributes = OPERATORS[type(step.layer)]
    return graph.add(name, *graph.inputs(step), **attributes(step.layer))


for _layer in OPERATORS:
    TRANSLATIONS[_layer] = _operator


@writes(activation.PReLU)
def prelu(graph: GraphWriter, step: Step) -> str:
    """``PRelu`` with a slope for each channel."""
    weight = graph.parameter(step, "weight")
    shaped = weight.reshape(-1, *(1,) * (len(step.shape) - 1))
    return graph.add("PRelu", *graph.inputs(step), graph.stored(step, "weight", shaped))


@writes(activation.GELU)
def gelu(graph: GraphWriter, step: Step) -> str:
    """``x / 2 (1 + erf(x / sqrt 2))``, or with tanh."""
    (x,) = graph.inputs(step)
    layer: Any = step.layer
    if layer.approximate == "tanh":
        cube = graph.add("Mul", graph.add("Mul", graph.add("Mul", x, x), x), graph.constant(0.044715))
        inner = graph.add("Mul", graph.add("Add", x, cube), graph.constant(math.sqrt(2 / math.pi)))
        bent = graph.add("Tanh", inner)
    else:
        bent = graph.add("Erf", graph.add("Mul", x, graph.constant(math.sqrt(0.5))))
    half = graph.add("Mul", x, graph.constant(0.5))
    return graph.add("Mul", half, graph.add("Add", bent, graph.constant(1.0)))


@writes(activation.SiLU)
def silu(graph: GraphWriter, step: Step) -> str:
    """``x sigmoid(x)``."""
    (x,) = graph.inputs(step)
    return graph.add("Mul", x, graph.add("Sigmoid", x))


@writes(functions.Mish)
def mish(graph: GraphWriter, step: Step) -> str:
    """``x tanh(softplus(x))``."""
    (x,) = graph.inputs(step)
    return graph.add("Mul", x, graph.add("Tanh", graph.add("Softplus", x)))


@writes(activation.Softplus)
def softplus(graph: GraphWriter, step: Step) -> str:
    """``log(1 + exp(beta x)) / beta``."""
    (x,) = graph.inputs(step)
    layer: Any = step.layer
    beta = graph.constant(layer.beta)
    return graph.add("Div", graph.add("Softplus", graph.add("Mul", x, beta)), beta)


@writes(activation.ScaledTanh)
def scaled_tanh(graph: GraphWriter, step: Step) -> str:
    """``amplitude tanh(slope x)``."""
    (x,) = graph.inputs(step)
    layer: Any = step.layer
    bent = graph.add("Tanh", graph.add("Mul", x, graph.constant(layer.slope)))
    return graph.add("Mul", bent, graph.constant(layer.amplitude))


@writes(activation.HardTanh)
def hard_tanh(graph: GraphWriter, step: Step) -> str:
    """``Clip``."""
    layer: Any = step.layer
    return graph.add("Clip", *graph.inputs(step), graph.constant(layer.low), graph.constant(layer.high))


@writes(activation.Step)
def unit_step(graph: GraphWriter, step: Step) -> str:
    """1 where x is at least 0."""
    reached = graph.add("GreaterOrEqual", *graph.inputs(step), graph.constant(0.0))
    return graph.add("Cast", reached, to=1)


@writes(functions.Round)
def rounding(graph: GraphWriter, step: Step) -> str:
    """``step Round(x / step)``."""
    (x,) = graph.inputs(step)
    layer: Any = step.layer
    width = graph.constant(layer.step)
    return graph.add("Mul", graph.add("Round", graph.add("Div", x, width)), width)


@writes(functions.Power)
def power(graph: GraphWriter, step: Step) -> str:
    """``Pow`` with a constant exponent."""
    layer: Any = step.layer
    return graph.add("Pow", *graph.inputs(step), graph.constant(np.float32(layer.exponent)))
