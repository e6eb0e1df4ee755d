"""The gradient of the weight of a convolution, with samples in the lanes or with channels."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import GATHER, Lowering, gather
from striate.engine.lowering.correlation import Groups, Sums, emit_sums, emit_weight_gradient
from striate.engine.lowering.weights import whole
from striate.engine.lowering.windows import Geometry, places, taps
from striate.network import Step

FEW = 32  # positions of a shard, see emit_weights_by_features
TOGETHER = 1024  # weights of a group: up to so many, one call goes through all groups and samples


def few(grad: Buffer, index: np.ndarray) -> bool:
    """Return whether a shard has so few positions that weights are better summed with channels in the lanes."""
    groups, _, channels, _ = index.shape
    return (
        groups == 1 and whole(index) and channels >= grad.lanes and math.prod(grad.shape[1:]) * grad.blocks <= FEW
    )


def emit_weights(
    lowering: Lowering, step: Step, x: Buffer, grad: Buffer, index: np.ndarray, geometry: Geometry
) -> None:
    """Emit the gradient of the weight of a convolution from ``x`` (with margin) to ``grad``."""
    groups, filters, channels, count = index.shape
    dense = index.size == step.parameters[0].spec.size
    target = lowering.parameter_gradient(step, "weight")
    scratch = None if dense else lowering.arena.allocate((-(-index.size // x.lanes),))
    lowering.clear(target if scratch is None else lowering.place(scratch), index.size)
    inputs = (np.arange(channels)[:, None] * x.strides[0] + taps(x, geometry)[None, :]).ravel()
    size = filters * channels * count
    together = groups if size <= TOGETHER else 1
    for g in range(0, groups, together):
        numbers = g * filters + np.arange(filters)
        emit_weight_gradient(
            lowering,
            target if scratch is None else lowering.place(scratch),
            x=x,
            grad=grad,
            rows=np.stack([numbers * grad.strides[0], numbers * channels * count], axis=1),
            taps=np.stack([inputs + g * channels * x.strides[0], np.arange(channels * count)], axis=1),
            places=places(x, grad, geometry),
            groups=Groups(together, channels * x.strides[0], size, filters * grad.strides[0], 0),
        )
    if scratch is not None:
        _gather_connected(lowering, step, scratch, index)


def emit_weights_by_features(
    lowering: Lowering, step: Step, x: Buffer, grad: Buffer, index: np.ndarray, geometry: Geometry
) -> None:
    """Emit the gradient of the weight with input channels in the lanes, sample after sample.

    With samples in the lanes every weight ends in a sum over lanes; where a shard has few positions that sum
    costs more than the products (measured on 2 x 2 maps of 512 channels: four times as much).
    """
    _, filters, channels, count = index.shape
    rows_x = lowering.rows_of(x, (x.positions()[:, None] + x.channels()[None, :]).ravel())
    rows_grad = lowering.rows_of(grad, (grad.positions()[:, None] + grad.channels()[None, :]).ravel())
    target = lowering.parameter_gradient(step, "weight")
    scratch = None if count == 1 else lowering.arena.allocate((-(-index.size // (x.lanes * x.blocks)),))
    lowering.clear(target if scratch is None else lowering.place(scratch), index.size)
    begins = np.minimum(np.arange(0, channels, x.lanes), channels - x.lanes)
    samples = np.arange(x.blocks * x.lanes)
    numbers = np.arange(filters)
    for tap, (inside, outside) in enumerate(_meetings(x, grad, geometry)):
        if len(inside) == 0:
            continue
        sources = (samples[:, None] * math.prod(x.shape[1:]) + inside) * channels
        errors = (samples[:, None] * math.prod(grad.shape[1:]) + outside) * filters
        emit_sums(
            lowering,
            Sums(
                x=rows_x,
                out=rows_grad,
                target=target if scratch is None else lowering.place(scratch),
                weights=lowering.place(rows_grad),
                bias=None,
                rows=np.stack([numbers, (numbers * count + tap) * channels, 0 * numbers], axis=1),
                channels=(1, 0, 0),
                taps=np.stack([sources.ravel(), errors.ravel()], axis=1),
                places=np.stack([begins, begins], axis=1),
                merged=True,
            ),
        )
    if scratch is not None:
        lowering.emit(
            "batch.swap", x=lowering.place(scratch), out=target, outer=filters, rows=count, columns=channels
        )
        lowering.arena.free(scratch)
    lowering.arena.free(rows_x)
    lowering.arena.free(rows_grad)


def _meetings(x: Buffer, grad: Buffer, geometry: Geometry) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, for every tap, the numbers of the input positions that it meets, and of the outputs."""
    outputs = np.stack(np.meshgrid(*map(np.arange, grad.shape[1:]), indexing="ij"), axis=-1).reshape(-1, 3)
    before = np.array([pair[0] for pair in geometry.padding])
    for offset in geometry.tap_coordinates():
        where = outputs * np.array(geometry.stride) + offset - before
        inside = ((where >= 0) & (where < np.array(x.shape[1:]))).all(axis=1)
        yield np.ravel_multi_index(tuple(where[inside].T), x.shape[1:]), np.flatnonzero(inside)


def _gather_connected(lowering: Lowering, step: Step, scratch: Buffer, index: np.ndarray) -> None:
    """Take the gradients of the weights that exist out of those of all pairs of channels."""
    size = step.parameters[0].spec.size
    order = np.zeros(size, np.int64)
    exists = index.ravel() < size
    order[index.ravel()[exists]] = np.flatnonzero(exists)
    out = lowering.parameter_gradient(step, "weight")
    lowering.emit(GATHER, **gather(lowering.program, lowering.place(scratch), out, order))
