"""Fully connected layers as tables for the correlation kernels: every feature is a tap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule, always
from striate.engine.lowering.correlation import (
    Sums,
    emit_bias_gradient,
    emit_sums,
    emit_weight_gradient,
    ended_pairs,
    sums_row,
)
from striate.engine.program import ByCount, Place
from striate.engine.rules import RULES, SAMPLES
from striate.engine.segments import GRADIENTS
from striate.layers.dense import Linear
from striate.network import Step

LARGE = 2**16  # weights: from here on their gradient is summed over all shards at once
TASKS = 16  # that this is cut into
_ORIGIN = np.zeros((1, 2), np.int64)


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    features = x.features()
    filters = step.shape[0]
    numbers = np.arange(filters)
    weights = lowering.parameter(step, "weight")
    assert weights is not None
    emit_sums(
        lowering,
        Sums(
            x=x,
            out=out,
            weights=weights,
            bias=lowering.parameter(step, "bias"),
            rows=np.stack([numbers * len(features), out.features(), numbers], axis=1),
            channels=(1, 0, 0),
            taps=np.stack([features, np.arange(len(features))], axis=1),
            places=_ORIGIN,
            floor=lowering.floor(step),
        ),
    )


def _backward(lowering: Lowering, step: Step) -> None:
    x, grad = lowering.values[step.inputs[0]], lowering.gradients[step.name]
    inputs, outputs = x.features(), grad.features()
    if step.name not in lowering.facts.frozen:
        _weight_gradient(lowering, step, x, grad)
    emit_bias_gradient(lowering, step, grad)
    if step.inputs[0] not in lowering.needed:
        return
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    weights = lowering.parameter(step, "weight")
    assert weights is not None
    numbers = np.arange(len(inputs))
    emit_sums(
        lowering,
        Sums(
            x=grad,
            out=grad_x,
            weights=weights,
            bias=None,
            rows=np.stack([numbers, grad_x.features(), numbers], axis=1),
            channels=(1, 0, 0),
            taps=np.stack([outputs, np.arange(len(outputs)) * len(inputs)], axis=1),
            places=_ORIGIN,
            accumulate=accumulate,
        ),
    )


def _weight_gradient(lowering: Lowering, step: Step, x: Buffer, grad: Buffer) -> None:
    inputs, outputs = x.features(), grad.features()
    if len(inputs) * len(outputs) >= LARGE and lowering.facts.sizes.shards > 1:
        _weight_gradient_of_batch(lowering, step, x, grad)
        return
    if len(inputs) >= x.lanes:
        _weight_gradient_by_features(lowering, step, x, grad)
        return
    target = lowering.parameter_gradient(step, "weight")
    lowering.clear(target, len(inputs) * len(outputs))
    emit_weight_gradient(
        lowering,
        target,
        x=x,
        grad=grad,
        rows=np.stack([outputs, np.arange(len(outputs)) * len(inputs)], axis=1),
        taps=np.stack([inputs, np.arange(len(inputs))], axis=1),
        places=_ORIGIN,
    )


def _weight_gradient_by_features(lowering: Lowering, step: Step, x: Buffer, grad: Buffer) -> None:
    """Sum over the samples with features in the lanes.

    With samples in the lanes every weight would need a sum over lanes of a few products only; measured,
    that took 2.5 times as long on LeNet-5. So both sides are written as rows, one sample after the other.
    A last vector that is not full begins earlier and computes some weights twice.
    """
    rows_x, rows_grad = lowering.rows_of(x), lowering.rows_of(grad)
    sums = _products_of_rows(lowering, rows_x, rows_grad, lowering.parameter_gradient(step, "weight"))
    emit_sums(lowering, sums)
    lowering.arena.free(rows_x)
    lowering.arena.free(rows_grad)


def _weight_gradient_of_batch(lowering: Lowering, step: Step, x: Buffer, grad: Buffer) -> None:
    """Sum over the samples of all shards at once, filters side by side on the threads.

    A gradient of a large matrix for each shard costs more memory, and more time to write and to add, than
    waiting for the last shard.
    """
    rows_x, rows_grad = lowering.rows_of(x), lowering.rows_of(grad)
    columns, filters, samples = rows_x.shape[0], rows_grad.shape[0], x.blocks * x.lanes
    offset = lowering.parameter_offset(step, "weight")
    target = Place(GRADIENTS, 4 * offset)
    sums = _products_of_rows(lowering, rows_x, rows_grad, target)

    def pairs(stride: int, shards: int) -> Place:
        within = np.arange(shards)[:, None] * stride
        numbers = np.arange(samples)[None, :]
        both = np.stack([(within + numbers * n).ravel() for n in (columns, filters)], axis=1)
        return lowering.program.table(ended_pairs(both))

    def taps(stride: int) -> ByCount:
        return ByCount(tuple(pairs(stride, shards) for shards in range(1, lowering.facts.sizes.shards + 1)))

    lowering.barrier((rows_x, rows_x.size), (rows_grad, rows_grad.size))
    for part in np.array_split(sums.rows, min(TASKS, filters)):
        row = sums_row(lowering, replace(sums, rows=part), listed=True)
        row.arguments["taps"] = taps
        lowering.parts[-1][1].append(row)
    lowering.summed.append((offset, offset + columns * filters))
    lowering.arena.free(rows_x)
    lowering.arena.free(rows_grad)


def _products_of_rows(lowering: Lowering, x: Buffer, grad: Buffer, target: Place) -> Sums:
    """Return the sums over the samples of a shard of products of a feature and an error."""
    columns, filters = x.shape[0], grad.shape[0]
    samples = np.arange(x.blocks * x.lanes)
    begins = np.minimum(np.arange(0, columns, x.lanes), columns - x.lanes)
    numbers = np.arange(filters)
    return Sums(
        x=x,
        out=grad,
        target=target,
        weights=lowering.place(grad),
        bias=None,
        rows=np.stack([numbers, numbers * columns, 0 * numbers], axis=1),
        channels=(1, 0, 0),
        taps=np.stack([samples * columns, samples * filters], axis=1),
        places=np.stack([begins, begins], axis=1),
        merged=True,
    )


RULES[SAMPLES, Linear] = Rule(_forward, _backward, floor=always, assigns=True)
