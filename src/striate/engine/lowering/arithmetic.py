"""Layers that join values, or scale one."""

from __future__ import annotations

import math

from striate.engine.lowering import shape
from striate.engine.lowering.broadcast import PRODUCT, SUM, join_backward, join_forward
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.lowering.elementwise import emit_elementwise
from striate.engine.lowering.normalisation import emit_channel_affine, emit_channel_affine_gradient
from striate.engine.lowering.shape import emit_copy, hand_on
from striate.engine.rules import RULES, SAMPLES
from striate.layers.arithmetic import Add, ChannelScale, Concatenate, Multiply, Scale
from striate.network import Step


def _several(step: Step) -> bool:
    return len(step.inputs) > 1


def _alike(step: Step) -> bool:
    """Return whether no input is broadcast."""
    return all(shape == step.shape for shape in step.input_shapes)


def _add_forward(lowering: Lowering, step: Step) -> None:
    if not _several(step):
        shape.forward(lowering, step)
        return
    if not _alike(step):
        join_forward(lowering, step, SUM)
        return
    sources = [lowering.compact(name) for name in step.inputs]
    out = lowering.allocate(step, like=sources[0])
    total = sources[0]
    for i, source in enumerate(sources[1:], start=2):
        last = i == len(sources) and step.name in lowering.facts.clipped
        floor = 0.0 if last else -math.inf
        emit_elementwise(lowering, "add", (), {"x": total, "y": source, "out": out}, floor=floor)
        total = out


def _add_backward(lowering: Lowering, step: Step) -> None:
    """Copy the gradient for all inputs but the first, which may then change the buffer itself."""
    if not _alike(step):
        join_backward(lowering, step, SUM)
        return
    grad = lowering.gradients[step.name]
    for source in reversed(step.inputs[1:]):
        hand_on(lowering, grad, source, own=False)
    hand_on(lowering, grad, step.inputs[0])


def _multiply_forward(lowering: Lowering, step: Step) -> None:
    if _several(step):
        join_forward(lowering, step, PRODUCT)
    else:
        shape.forward(lowering, step)


def _multiply_backward(lowering: Lowering, step: Step) -> None:
    if _several(step):
        join_backward(lowering, step, PRODUCT)
    else:
        shape.backward(lowering, step)


def _concatenate_forward(lowering: Lowering, step: Step) -> None:
    out = lowering.allocate(step)
    first = 0
    for name, (channels, *_) in zip(step.inputs, step.input_shapes, strict=True):
        emit_copy(lowering, lowering.compact(name), out.part(first, channels), 0)
        first += channels


def _concatenate_backward(lowering: Lowering, step: Step) -> None:
    grad = lowering.gradients[step.name]
    first = 0
    for name, (channels, *_) in zip(step.inputs, step.input_shapes, strict=True):
        if name in lowering.needed:
            target, accumulate = lowering.compact_gradient(name)
            emit_copy(lowering, grad.part(first, channels), target, accumulate)
        first += channels


def _scale_forward(lowering: Lowering, step: Step) -> None:
    layer: Scale = step.layer  # type: ignore[assignment]
    x = lowering.values[step.inputs[0]]
    out = lowering.allocate(step, like=x)
    scale, offset = (lowering.constant(value, x.shape[0]) for value in (layer.factor, layer.shift))
    emit_channel_affine(lowering, x, out, scale, offset)


def _scale_backward(lowering: Lowering, step: Step) -> None:
    layer: Scale = step.layer  # type: ignore[assignment]
    if step.inputs[0] in lowering.needed:
        grad = lowering.gradients[step.name]
        grad_x, accumulate = lowering.gradient_into(step.inputs[0])
        scale, offset = (lowering.constant(value, grad.shape[0]) for value in (layer.factor, 0.0))
        emit_channel_affine(lowering, grad, grad_x, scale, offset, accumulate=accumulate)


def _channel_scale_forward(lowering: Lowering, step: Step) -> None:
    x = lowering.compact(step.inputs[0])
    out = lowering.allocate(step, like=x)
    bias = lowering.parameter(step, "bias") or lowering.constant(0.0, x.shape[0])
    emit_channel_affine(lowering, x, out, lowering.parameter(step, "weight"), bias)


def _channel_scale_backward(lowering: Lowering, step: Step) -> None:
    x, grad = lowering.compact(step.inputs[0]), lowering.gradients[step.name]
    if step.name not in lowering.facts.frozen:
        emit_channel_affine_gradient(lowering, step, x, grad)
    if step.inputs[0] in lowering.needed:
        grad_x, accumulate = lowering.compact_gradient(step.inputs[0])
        zero = lowering.constant(0.0, x.shape[0])
        emit_channel_affine(lowering, grad, grad_x, lowering.parameter(step, "weight"), zero, accumulate=accumulate)


RULES[SAMPLES, Add] = Rule(_add_forward, _add_backward, floor=_several)
RULES[SAMPLES, Multiply] = Rule(_multiply_forward, _multiply_backward, floor=_several)
RULES[SAMPLES, Concatenate] = Rule(_concatenate_forward, _concatenate_backward)
RULES[SAMPLES, Scale] = Rule(_scale_forward, _scale_backward)
RULES[SAMPLES, ChannelScale] = Rule(_channel_scale_forward, _channel_scale_backward)
