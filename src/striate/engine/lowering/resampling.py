"""Interpolation and means of parts: a sparse matrix from the positions of the input to those of the output."""

from __future__ import annotations

from functools import reduce

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.rules import RULES, SAMPLES
from striate.layers.global_pooling import AdaptiveAvgPooling
from striate.layers.resize import Resize
from striate.layers.shape import Upsample
from striate.network import Step
from striate.reference.global_pooling import parts_matrix
from striate.reference.resize import matrices
from striate.reference.shape import upsampling_matrix
from striate.reference.sparse import SparseMatrix


def _matrix(step: Step) -> SparseMatrix:
    """Return the shares of all inputs in all outputs of a channel."""
    return reduce(SparseMatrix.kron, _axes(step))


def _axes(step: Step) -> list[SparseMatrix]:
    """Return the sparse matrix of each axis of space."""
    layer, shape = step.layer, step.input_shapes[0]
    if isinstance(layer, Resize):
        return matrices(layer, shape)
    if isinstance(layer, AdaptiveAvgPooling):
        return [parts_matrix(n, parts) for n, parts in zip(shape[1:], step.shape[1:], strict=True)]
    assert isinstance(layer, Upsample)
    pairs = zip(shape[1:], layer.factors(shape), strict=True)
    return [upsampling_matrix(n, factor, layer.mode) for n, factor in pairs]


def _emit(lowering: Lowering, matrix: SparseMatrix, x: Buffer, out: Buffer, accumulate: int) -> None:
    table = lowering.program.table
    lowering.emit(
        "resampling.weighted_sums",
        x=lowering.place(x),
        out=lowering.place(out),
        channels=table(np.stack([x.channels(), out.channels()], axis=1)),
        channel_count=x.shape[0],
        places=table(out.positions()),
        place_count=len(out.positions()),
        begins=table(matrix.begins),
        sources=table(x.positions()[matrix.columns]),
        shares=lowering.program.array(matrix.values),
        blocks=x.blocks,
        x_block=x.block,
        out_block=out.block,
        accumulate=accumulate,
    )


def forward(lowering: Lowering, step: Step) -> None:
    """Emit ``out = U x`` for every channel."""
    x = lowering.values[step.inputs[0]]
    _emit(lowering, _matrix(step), x, lowering.allocate(step), 0)


def backward(lowering: Lowering, step: Step) -> None:
    """Emit ``grad_x = U' grad_out``."""
    if step.inputs[0] in lowering.needed:
        grad_x, accumulate = lowering.gradient_into(step.inputs[0])
        _emit(lowering, _matrix(step).T, lowering.gradients[step.name], grad_x, accumulate)


RULES[SAMPLES, AdaptiveAvgPooling] = Rule(forward, backward)
RULES[SAMPLES, Resize] = Rule(forward, backward)
