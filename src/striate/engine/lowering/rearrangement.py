"""Layers whose outputs are inputs at other places: one copy."""

from __future__ import annotations

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.lowering.shape import emit_move
from striate.engine.rules import RULES, SAMPLES
from striate.layers.rearrangement import Rearrangement
from striate.network import Step


def _places(step: Step, x: Buffer, out: Buffer) -> tuple[np.ndarray, np.ndarray]:
    """Return (place in x, place in out) of channels, and of values within a channel.

    Where every channel of the output takes the same pattern from the input, the pattern is stored once.
    """
    layer: Rearrangement = step.layer  # type: ignore[assignment]
    sources = layer.sources(step.input_shapes[0])
    places = x.features()[sources].reshape(out.shape[0], -1)
    begins = places[:, :1]
    if np.array_equal(places - begins, np.broadcast_to(places[:1] - begins[:1], places.shape)):
        channels = np.stack([begins[:, 0] - begins[0, 0], out.channels()], axis=1)
        return channels, np.stack([places[0], out.positions()], axis=1)
    return np.zeros((1, 2), np.int64), np.stack([places.ravel(), out.features()], axis=1)


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.compact(step.inputs[0]), lowering.allocate(step)
    channels, pairs = _places(step, x, out)
    emit_move(lowering, x, out, channels, pairs, 0)


def _backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    grad = lowering.gradients[step.name]
    grad_x, accumulate = lowering.compact_gradient(step.inputs[0])
    if not accumulate:
        lowering.emit("elementwise.fill", out=lowering.place(grad_x), count=grad_x.size, value=0.0)
    channels, pairs = _places(step, grad_x, grad)
    emit_move(lowering, grad, grad_x, channels[:, ::-1], pairs[:, ::-1], 1)


RULES[SAMPLES, Rearrangement] = Rule(_forward, _backward)
