"""Transposed convolution: the adjoint of a convolution forward, the convolution itself backward."""

from __future__ import annotations

import math

import numpy as np

from striate.engine.layout import three
from striate.engine.lowering.context import Lowering, Rule, always
from striate.engine.lowering.convolution import emit_adjoint, emit_windows
from striate.engine.lowering.correlation import emit_bias_gradient
from striate.engine.lowering.shape import emit_copy
from striate.engine.lowering.weight_gradient import emit_weights
from striate.engine.lowering.windows import Geometry
from striate.engine.rules import RULES, SAMPLES
from striate.layers.transposed import TransposedConvolution
from striate.network import Step


def _parts(step: Step) -> tuple[np.ndarray, Geometry]:
    """Return the weight's places and the window of the convolution whose adjoint this is."""
    layer = step.layer
    assert isinstance(layer, TransposedConvolution)
    shape = step.parameters[0].spec.shape
    index = np.arange(math.prod(shape)).reshape(layer.groups, shape[0] // layer.groups, shape[1], -1)
    padding = three(tuple(layer.padding), (0, 0))  # type: ignore[arg-type]
    kernel, stride, dilation = (three(tuple(v), 1) for v in (layer.kernel_size, layer.stride, layer.dilation))  # type: ignore[arg-type]
    return index, Geometry(kernel, stride, dilation, padding)


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    index, geometry = _parts(step)
    floor = lowering.floor(step)
    emit_adjoint(lowering, step, x, out, index, geometry, bias=True, floor=floor)


def _backward(lowering: Lowering, step: Step) -> None:
    x, grad = lowering.values[step.inputs[0]], lowering.gradients[step.name]
    index, geometry = _parts(step)
    padded = lowering.arena.allocate(grad.shape, geometry.padding)
    emit_copy(lowering, grad, padded, 0)
    if step.name not in lowering.facts.frozen:
        emit_weights(lowering, step, padded, x, index, geometry)
    emit_bias_gradient(lowering, step, grad)
    if step.inputs[0] in lowering.needed:
        grad_x, accumulate = lowering.gradient_into(step.inputs[0])
        emit_windows(lowering, step, padded, grad_x, index, geometry, accumulate=accumulate)


RULES[SAMPLES, TransposedConvolution] = Rule(_forward, _backward, floor=always, assigns=True)
