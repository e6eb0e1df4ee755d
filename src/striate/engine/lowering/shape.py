"""Layers that only move numbers: no kernel where the values may stay where they are, a copy elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from striate.engine.layout import NO_MARGIN, Buffer, canonical_shape
from striate.engine.lowering import resampling
from striate.engine.lowering.context import Lowering, Rule, always
from striate.engine.lowering.elementwise import emit_elementwise
from striate.engine.rules import RULES, SAMPLES
from striate.layers.activation import Identity
from striate.layers.padding import Crop, Pad
from striate.layers.shape import Flatten, Reshape, Upsample
from striate.network import Step
from striate.reference.padding import NUMPY_MODES


def forward(lowering: Lowering, step: Step) -> None:
    """Let the value of the step be that of its input."""
    lowering.values[step.name] = lowering.values[step.inputs[0]]


def backward(lowering: Lowering, step: Step) -> None:
    """Hand the gradient on; where others have written to the input's gradient, add it."""
    hand_on(lowering, lowering.gradients[step.name], step.inputs[0])


def hand_on(lowering: Lowering, grad: Buffer, source: str, own: bool = True) -> None:
    """Make ``grad``, or if it is not to be given away a copy of it, (part of) the gradient of ``source``."""
    if source not in lowering.needed:
        return
    if own and source not in lowering.gradients:
        lowering.gradients[source] = grad
        return
    target, accumulate = lowering.gradient_into(source)
    emit_copy(lowering, grad, target, accumulate)


def emit_copy(lowering: Lowering, x: Buffer, out: Buffer, accumulate: int) -> None:
    """Emit ``out = x`` or ``out += x`` for buffers of the same shape."""
    emit_elementwise(lowering, "copy", (), {"x": x, "out": out}, accumulate=accumulate)


def emit_move(
    lowering: Lowering, x: Buffer, out: Buffer, channels: np.ndarray, pairs: np.ndarray, accumulate: int
) -> None:
    """Emit ``out[pair[1]] = x[pair[0]]`` (or +=) for every channel."""
    lowering.emit(
        "elementwise.move",
        x=lowering.place(x),
        out=lowering.place(out),
        channels=lowering.program.table(channels),
        channel_count=len(channels),
        pairs=lowering.program.table(pairs),
        pair_count=len(pairs),
        blocks=x.blocks,
        x_block=x.block,
        out_block=out.block,
        accumulate=accumulate,
    )


def sources_of(step: Step) -> list[np.ndarray]:
    """Return, for each axis of space, the input position of every output position; -1 outside."""
    layer = step.layer
    space = step.input_shapes[0][1:]
    if isinstance(layer, Upsample):
        return [np.arange(o) * n // o for n, o in zip(space, step.shape[1:], strict=True)]
    if isinstance(layer, Crop):
        pairs = layer.pairs(step.input_shapes[0])
        return [np.arange(before, n - after) for n, (before, after) in zip(space, pairs, strict=True)]
    assert isinstance(layer, Pad)
    pairs = layer.pairs(step.input_shapes[0])
    if layer.mode == "zeros":
        axes = zip(space, pairs, strict=True)
        return [np.pad(np.arange(n), pair, constant_values=-1) for n, pair in axes]
    return [np.pad(np.arange(n), pair, mode=NUMPY_MODES[layer.mode]) for n, pair in zip(space, pairs, strict=True)]


def _pairs(step: Step, x: Buffer, out: Buffer) -> np.ndarray:
    """Return (place in x, place in out) of every value of a channel that comes from the input."""
    sources = sources_of(step)
    sources = [np.zeros(1, np.int64)] * (3 - len(sources)) + sources
    inside = np.ones(out.shape[1:], bool)
    for axis, positions in enumerate(sources):
        shape = [1, 1, 1]
        shape[axis] = -1
        inside &= (positions >= 0).reshape(shape)
    places = np.stack([x.space(*sources).ravel(), out.positions()], axis=1)
    return places[inside.ravel()]


def _move_forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    if isinstance(step.layer, Pad) and step.layer.mode == "zeros":
        if out.margin == NO_MARGIN:
            lowering.emit("elementwise.fill", out=lowering.place(out), count=out.size, value=step.layer.value)
        elif step.layer.value != 0:
            _fill_inside(lowering, out, step.layer.value)
    channels = np.stack([x.channels(), out.channels()], axis=1)
    emit_move(lowering, x, out, channels, _pairs(step, x, out), 0)


def _fill_inside(lowering: Lowering, out: Buffer, value: float) -> None:
    """Set all values but the margins."""
    constant = lowering.constant(value, lowering.arena.lanes)
    source = replace(out, offset=0, block_stride=0)
    lowering.emit(
        "elementwise.move",
        x=constant,
        out=lowering.place(out),
        channels=lowering.program.table(np.stack([0 * source.channels(), out.channels()], axis=1)),
        channel_count=out.shape[0],
        pairs=lowering.program.table(np.stack([0 * out.positions(), out.positions()], axis=1)),
        pair_count=len(out.positions()),
        blocks=out.blocks,
        x_block=0,
        out_block=out.block,
        accumulate=0,
    )


def _move_backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    grad = lowering.gradients[step.name]
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    if not accumulate:
        lowering.emit("elementwise.fill", out=lowering.place(grad_x), count=grad_x.size, value=0.0)
    pairs = _pairs(step, grad_x, grad)
    channels = np.stack([grad.channels(), grad_x.channels()], axis=1)
    emit_move(lowering, grad, grad_x, channels, pairs[:, ::-1], 1)


def _reshape_forward(lowering: Lowering, step: Step) -> None:
    x = lowering.values[step.inputs[0]]
    if x.margin == NO_MARGIN == lowering.facts.margins.get(step.name, NO_MARGIN):
        lowering.values[step.name] = replace(x, shape=canonical_shape(step.shape))
        return
    out = lowering.allocate(step)
    emit_move(lowering, x, out, np.zeros((1, 2)), np.stack([x.features(), out.features()], axis=1), 0)


def _reshape_backward(lowering: Lowering, step: Step) -> None:
    shape = lowering.values[step.inputs[0]].shape
    hand_on(lowering, replace(lowering.gradients[step.name], shape=shape), step.inputs[0])


def _upsample_forward(lowering: Lowering, step: Step) -> None:
    nearest = step.layer.mode == "nearest"  # type: ignore[attr-defined]
    (_move_forward if nearest else resampling.forward)(lowering, step)


def _upsample_backward(lowering: Lowering, step: Step) -> None:
    nearest = step.layer.mode == "nearest"  # type: ignore[attr-defined]
    (_move_backward if nearest else resampling.backward)(lowering, step)


RULES[SAMPLES, Flatten] = Rule(forward, backward, transparent=always)
RULES[SAMPLES, Identity] = Rule(forward, backward, transparent=always)
RULES[SAMPLES, Reshape] = Rule(_reshape_forward, _reshape_backward)
RULES[SAMPLES, Pad] = Rule(_move_forward, _move_backward)
RULES[SAMPLES, Crop] = Rule(_move_forward, _move_backward)
RULES[SAMPLES, Upsample] = Rule(_upsample_forward, _upsample_backward)
