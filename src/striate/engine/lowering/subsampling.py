"""Trainable subsampling: one pass forward, and one for all gradients."""

from __future__ import annotations

import numpy as np

from striate.engine.lowering.context import Lowering, Rule, always
from striate.engine.lowering.pooling import (
    geometry_of,
    gradient_tables,
    gradient_target,
    partition,
    pooling_arguments,
    unrolled,
    window_tables,
)
from striate.engine.rules import RULES, SAMPLES
from striate.layers.subsampling import Subsampling
from striate.network import Step


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    for where, taps in window_tables(x, out, geometry_of(step)):
        lowering.emit(
            "subsampling.subsample",
            unrolled(taps),
            **pooling_arguments(lowering, x, out, where, taps),
            weight=lowering.parameter(step, "weight"),
            bias=lowering.parameter(step, "bias"),
            floor=lowering.floor(step),
        )


def _backward(lowering: Lowering, step: Step) -> None:
    x, grad, geometry = lowering.values[step.inputs[0]], lowering.gradients[step.name], geometry_of(step)
    spread = step.inputs[0] in lowering.needed
    grad_x, accumulate = gradient_target(lowering, step, partition(x, geometry)) if spread else (x, 0)
    table = lowering.program.table
    for places, taps in gradient_tables((x, grad, grad, grad_x), geometry):
        lowering.emit(
            "subsampling.subsample_gradient",
            unrolled(taps),
            x=lowering.place(x),
            grad_out=lowering.place(grad),
            grad_x=lowering.place(grad_x),
            weight=lowering.parameter(step, "weight"),
            grad_weight=lowering.parameter_gradient(step, "weight"),
            grad_bias=lowering.parameter_gradient(step, "bias"),
            channels=table(np.stack([b.channels() for b in (x, grad, grad_x)], axis=1)),
            channel_count=x.shape[0],
            places=table(places[:, [0, 2, 3]]),
            place_count=len(places),
            taps=table(taps),
            tap_count=len(taps),
            blocks=x.blocks,
            x_block=x.block,
            grad_out_block=grad.block,
            grad_x_block=grad_x.block,
            spread=int(spread),
            accumulate=accumulate,
        )


RULES[SAMPLES, Subsampling] = Rule(_forward, _backward, floor=always)
