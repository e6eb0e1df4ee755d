"""Dropout and noise: a pass over the values in training, nothing at evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering import shape
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.program import LANEWISE_NUMBER, Place
from striate.engine.rules import RULES, SAMPLES
from striate.layers.regularisation import Dropout, GaussianNoise, SpatialDropout
from striate.network import Step


def _elements(x: Buffer, out: Buffer, spatial: bool) -> dict[str, Any]:
    """Return the runs of values with the numbers of their elements, channel by channel and row by row."""
    runs, length = x.channel_runs(out)
    channels = np.stack([x.channels(), out.channels()], axis=1)
    places = (channels[:, None, :] + runs[None]).reshape(-1, 2)
    numbers = np.arange(len(places)) // len(runs) if spatial else np.arange(len(places)) * length
    return {
        "elements": np.column_stack([places, numbers]),
        "element_count": len(places),
        "length": length,
    }


def _emit(lowering: Lowering, step: Step, x: Buffer, out: Buffer, accumulate: int) -> None:
    layer: Dropout | SpatialDropout = step.layer  # type: ignore[assignment]
    spatial = isinstance(layer, SpatialDropout)
    elements = _elements(x, out, spatial)
    lowering.emit(
        "regularisation.dropout",
        x=lowering.place(x),
        out=lowering.place(out),
        **{**elements, "elements": lowering.program.table(elements["elements"])},
        number_step=0 if spatial else 1,
        keys=lowering.random_key(step),
        first=Place("", 0, LANEWISE_NUMBER),
        threshold=int(layer.rate * 2**32),
        factor=1.0 / (1.0 - layer.rate),
        blocks=x.blocks,
        x_block=x.block,
        out_block=out.block,
        accumulate=accumulate,
    )


def _dropout_forward(lowering: Lowering, step: Step) -> None:
    if not lowering.training or step.layer.rate == 0:  # type: ignore[attr-defined]
        shape.forward(lowering, step)
        return
    x = lowering.values[step.inputs[0]]
    _emit(lowering, step, x, lowering.allocate(step, like=x), 0)


def _dropout_backward(lowering: Lowering, step: Step) -> None:
    if step.layer.rate == 0:  # type: ignore[attr-defined]
        shape.backward(lowering, step)
    elif step.inputs[0] in lowering.needed:
        grad_x, accumulate = lowering.gradient_into(step.inputs[0])
        _emit(lowering, step, lowering.gradients[step.name], grad_x, accumulate)


def _noise_forward(lowering: Lowering, step: Step) -> None:
    if not lowering.training:
        shape.forward(lowering, step)
        return
    x = lowering.values[step.inputs[0]]
    out = lowering.allocate(step, like=x)
    elements = _elements(x, out, spatial=False)
    lowering.emit(
        "regularisation.gaussian_noise",
        x=lowering.place(x),
        out=lowering.place(out),
        **{**elements, "elements": lowering.program.table(elements["elements"])},
        keys=lowering.random_key(step),
        first=Place("", 0, LANEWISE_NUMBER),
        deviation=step.layer.deviation,  # type: ignore[attr-defined]
        blocks=x.blocks,
        x_block=x.block,
        out_block=out.block,
    )


def _idle(step: Step, training: bool) -> bool:
    return not training or getattr(step.layer, "rate", 1) == 0


RULES[SAMPLES, Dropout] = Rule(_dropout_forward, _dropout_backward, transparent=_idle)
RULES[SAMPLES, SpatialDropout] = RULES[SAMPLES, Dropout]
RULES[SAMPLES, GaussianNoise] = Rule(_noise_forward, shape.backward, transparent=_idle)
