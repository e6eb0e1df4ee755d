"""Rows of the correlation kernels, shared by convolution and fully connected layers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering
from striate.engine.machine import cheapest, tiles
from striate.engine.program import Place
from striate.network import Step

FLAT_TERMS = 1024  # up to this many terms of a sum stand in one table; more go channel by channel
FEW_PLACES = 16  # with fewer places in a block, the places of all blocks form one table


@dataclass(frozen=True)
class Sums:
    """Sums of products: what ``kernels.correlation.correlate`` computes.

    Parameters
    ----------
    x, out : Buffer
    weights : Place
    bias : Place or None
    rows : int64[K, 3]
        Place of the weights, of the output channel, and of the bias.
    channels : (count, x stride, weight stride)
        The outer loop of every sum.
    taps : int64[T, 2]
        The inner loop: place in x, place of the weight.
    places : int64[P, 2]
        Where windows begin in x, and where their output lies.
    x_begin : int
        Place in x that all of this is relative to.
    tile : (rows, places)
    floor : float
        Results are at least this.
    accumulate : int
        1 to add to what ``out`` holds.
    """

    x: Buffer
    out: Buffer
    weights: Place
    bias: Place | None
    rows: np.ndarray
    channels: tuple[int, int, int]
    taps: np.ndarray
    places: np.ndarray
    tile: tuple[int, int]
    x_begin: int = 0
    floor: float = -math.inf
    accumulate: int = 0


def emit_sums(lowering: Lowering, sums: Sums) -> None:
    """Append the call that computes ``sums`` for all blocks of a shard."""
    outer, x_outer, w_outer = sums.channels
    table = sums.taps
    if outer * len(table) <= FLAT_TERMS or len(table) == 1:
        steps = np.arange(outer)[:, None, None] * np.array([x_outer, w_outer])
        table, outer = (steps + table[None]).reshape(-1, 2), 1
    places, blocks = merge_blocks(sums.places, sums.x.blocks, sums.x.block, sums.out.block)
    program = lowering.program
    lowering.emit(
        "correlation.correlate",
        sums.tile,
        x=lowering.place(sums.x) + sums.x_begin,
        w=sums.weights,
        bias=sums.bias or zeros(lowering, int(sums.rows[:, 2].max()) + 1),
        out=lowering.place(sums.out),
        rows=program.table(sums.rows),
        row_count=len(sums.rows),
        taps=program.table(table),
        tap_count=len(table),
        outer_count=outer,
        x_outer=x_outer,
        w_outer=w_outer,
        places=program.table(places),
        place_count=len(places),
        blocks=blocks,
        x_block=sums.x.block,
        out_block=sums.out.block,
        floor=sums.floor,
        accumulate=sums.accumulate,
    )


def zeros(lowering: Lowering, count: int) -> np.ndarray:
    """Return an array of zeros that the program keeps, for layers without a bias."""
    array = np.zeros(count, np.float32)
    lowering.program.kept.append(array)
    return array


def merge_blocks(places: np.ndarray, blocks: int, *strides: int) -> tuple[np.ndarray, int]:
    """Put the places of all blocks into one table where a block has few."""
    if len(places) >= FEW_PLACES or blocks == 1:
        return places, blocks
    steps = np.arange(blocks)[:, None, None] * np.array(strides)
    return (steps + places[None]).reshape(-1, places.shape[1]), 1


def emit_weight_gradient(
    lowering: Lowering,
    step: Step,
    *,
    x: Buffer,
    grad: Buffer,
    rows: np.ndarray,
    taps: np.ndarray,
    places: np.ndarray,
) -> None:
    """Append the call that adds to the gradient of ``weight``; tables as in ``kernels.correlation``."""
    program = lowering.program
    tile = cheapest(tiles(x.lanes).dot, len(rows), len(taps))
    places, blocks = merge_blocks(places, x.blocks, x.block, grad.block)
    lowering.emit(
        "correlation.weight_gradient",
        tile,
        x=lowering.place(x),
        grad_out=lowering.place(grad),
        grad_w=lowering.parameter_gradient(step, "weight"),
        rows=program.table(rows),
        row_count=len(rows),
        taps=program.table(taps),
        tap_count=len(taps),
        places=program.table(places),
        place_count=len(places),
        blocks=blocks,
        x_block=x.block,
        grad_block=grad.block,
    )


def emit_bias_gradient(lowering: Lowering, step: Step, grad: Buffer) -> None:
    """Append the call that adds up the gradient of ``bias``, if the step has one."""
    if lowering.parameter(step, "bias") is None:
        return
    channels = grad.shape[0]
    space = math.prod(grad.shape[1:])
    lowering.emit(
        "elementwise.channel_sums",
        x=lowering.place(grad),
        out=lowering.parameter_gradient(step, "bias"),
        channels=lowering.program.table(np.stack([grad.channels(), np.arange(channels)], axis=1)),
        channel_count=channels,
        runs=lowering.program.table([0]),
        run_count=1,
        length=space,
        blocks=grad.blocks,
        x_block=grad.block,
    )
