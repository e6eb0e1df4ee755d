"""Rows of the correlation kernels, shared by convolution and fully connected layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering
from striate.engine.lowering.runs import Terms, terms
from striate.engine.lowering.tiles import cheapest, tiles
from striate.engine.program import Place, Row
from striate.errors import CapacityError
from striate.network import Step

FLAT_TERMS = 1024  # up to this many terms of a sum stand in one table; more go channel by channel
LONGEST_SUM = 4096  # terms that are added one after the other
NEAR_BYTES, LEAST_PLACES = 2**19, 64  # of a cache, and what is worth the sums over lanes; see ``pieces``
FEW_PLACES = 16  # with fewer places in a block, the places of all blocks form one table


@dataclass(frozen=True)
class Groups:
    """How often the same is done with other channels, and how far it is from one time to the next."""

    count: int
    x: int
    weights: int
    out: int
    bias: int


ONE = Groups(1, 0, 0, 0, 0)


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
    row_tile : int, optional
        The rows of a tile, where the weights were packed for it.
    floor : float
        Results are at least this.
    accumulate : int
        1 to add to what ``out`` holds.
    target : Place, optional
        Where the results go instead of ``out``.
    merged : bool
        The places are those of all blocks already.
    groups : Groups
        More of the same with other channels.
    """

    x: Buffer
    out: Buffer
    weights: Place
    bias: Place | None
    rows: np.ndarray
    channels: tuple[int, int, int]
    taps: np.ndarray
    places: np.ndarray
    row_tile: int | None = None
    x_begin: int = 0
    floor: float = -math.inf
    accumulate: int = 0
    target: Place | None = None
    merged: bool = False
    groups: Groups = ONE


def emit_sums(lowering: Lowering, sums: Sums) -> None:
    """Append the calls that compute ``sums`` for all blocks of a shard, one after the other."""
    beside = lowering.next_chain()
    for part in _blocks(sums):
        lowering.rows.append(replace(sums_row(lowering, part), beside=beside))


def _blocks(sums: Sums) -> Iterator[Sums]:
    """Yield ``sums``, or, where they are long, blocks of them that are added up: the error grows with the block."""
    outer, x_outer, w_outer = sums.channels
    count = -(-outer * len(sums.taps) // LONGEST_SUM)
    if count <= 1:
        yield sums
        return
    if outer > 1:  # by channels
        cuts = [
            (int(part[0]), len(part), sums.taps) for part in np.array_split(np.arange(outer), min(count, outer))
        ]
    else:
        cuts = [(0, 1, part) for part in np.array_split(sums.taps, count)]
    for number, (first, channels, taps) in enumerate(cuts):
        yield replace(
            sums,
            channels=(channels, x_outer, w_outer),
            taps=taps,
            x_begin=sums.x_begin + first * x_outer,
            weights=sums.weights + first * w_outer,
            bias=sums.bias if number == 0 else None,
            floor=sums.floor if number == len(cuts) - 1 else -math.inf,
            accumulate=sums.accumulate if number == 0 else 1,
        )


def sums_row(lowering: Lowering, sums: Sums, listed: bool = False) -> Row:
    """Return the call that computes ``sums``, with every term of its own in the table if ``listed``."""
    outer, x_outer, w_outer = sums.channels
    pairs = sums.taps
    if outer * len(pairs) <= FLAT_TERMS or len(pairs) == 1:
        steps = np.arange(outer)[:, None, None] * np.array([x_outer, w_outer])
        pairs, outer = (steps + pairs[None]).reshape(-1, 2), 1
    places, groups = sums.places, sums.groups
    if not sums.merged:
        every = groups.count > 1
        places, blocks = merge_blocks(places, sums.x.blocks, sums.x.block, sums.out.block, every=every)
        groups = groups if every else Groups(blocks, sums.x.block, 0, sums.out.block, 0)
    tile = cheapest(
        tiles(sums.x.lanes, lowering.facts.most_sums).outer,
        len(sums.rows),
        len(places),
        len(pairs) * outer,
        sums.row_tile,
    )
    rows, places = whole_tiles(sums.rows, tile[0]), whole_tiles(places, tile[1])
    program = lowering.program
    found = Terms(pairs) if listed else terms(pairs, sums.x.lanes, lowering.facts.most_sums)
    return lowering.row(
        found.kernel("correlation.correlate"),
        (*tile, *found.constants),
        x=lowering.place(sums.x) + sums.x_begin,
        w=sums.weights,
        bias=sums.bias or lowering.constant(0.0, int(rows[:, 2].max()) + groups.count * groups.bias + 1),
        out=sums.target or lowering.place(sums.out),
        rows=program.table(rows),
        row_count=len(rows),
        taps=program.table(ended_pairs(found.firsts)),
        outer_count=outer,
        x_outer=x_outer,
        w_outer=w_outer,
        places=program.table(places),
        place_count=len(places),
        blocks=groups.count,
        x_block=groups.x,
        w_block=groups.weights,
        out_block=groups.out,
        bias_block=groups.bias,
        floor=lowering.constant(sums.floor, 1),
        accumulate=sums.accumulate,
    )


def ended_pairs(pairs: np.ndarray) -> np.ndarray:
    """Put two offsets into each entry of a table, the first in the lower half, and end it."""
    if np.abs(pairs).max(initial=0) >= 2**31:
        raise CapacityError("plan: a layer may span at most 2^31 values; this one is larger. Use smaller shards.")
    return np.append((pairs[:, 1] << 32) | (pairs[:, 0] & 0xFFFFFFFF), np.int64(-(2**63)))


def whole_tiles(table: np.ndarray, tile: int) -> np.ndarray:
    """Repeat the last entry until the table fills whole tiles."""
    return table[np.minimum(np.arange(-(-len(table) // tile) * tile), len(table) - 1)]


def merge_blocks(places: np.ndarray, blocks: int, *strides: int, every: bool = False) -> tuple[np.ndarray, int]:
    """Put the places of all blocks into one table where a block has few, or always."""
    if (len(places) >= FEW_PLACES and not every) or blocks == 1:
        return places, blocks
    steps = np.arange(blocks)[:, None, None] * np.array(strides)
    return (steps + places[None]).reshape(-1, places.shape[1]), 1


def emit_weight_gradient(
    lowering: Lowering,
    target: Place,
    *,
    x: Buffer,
    grad: Buffer,
    rows: np.ndarray,
    taps: np.ndarray,
    places: np.ndarray,
    groups: Groups = ONE,
) -> None:
    """Append the call that adds to the gradient of a weight at ``target``; tables as in ``kernels.correlation``."""
    program, every = lowering.program, groups.count > 1
    places, blocks = merge_blocks(places, x.blocks, x.block, grad.block, every=every)
    groups = groups if every else Groups(blocks, x.block, 0, grad.block, 0)
    tile = cheapest(tiles(x.lanes, lowering.facts.most_sums).dot, len(rows), len(taps), len(places))
    for part in np.array_split(places, pieces(len(places), x)):
        found = terms(part, x.lanes, lowering.facts.most_sums)
        lowering.emit(
            found.kernel("correlation.weight_gradient"),
            (*tile, *found.constants),
            x=lowering.place(x),
            grad_out=lowering.place(grad),
            grad_w=target,
            rows=program.table(whole_tiles(rows, tile[0])),
            row_count=len(rows),
            taps=program.table(whole_tiles(taps, tile[1])),
            tap_count=len(taps),
            places=program.table(ended_pairs(found.firsts)),
            blocks=groups.count,
            x_block=groups.x,
            grad_block=groups.out,
            w_block=groups.weights,
        )


def pieces(places: int, x: Buffer) -> int:
    """Return into how many parts the places of a weight gradient are cut, so that all channels of one stay near.

    Every tile of weights runs through all places; were they more than the second-level cache holds, each would
    fetch its channels from beyond.
    """
    size = 4 * x.lanes * x.shape[0] * places
    return max(1, min(places // LEAST_PLACES, round(size / NEAR_BYTES)))


def emit_bias_gradient(lowering: Lowering, step: Step, grad: Buffer) -> None:
    """Append the call that adds up the gradient of ``bias``, if the step has one."""
    if lowering.parameter(step, "bias") is None or step.name in lowering.facts.frozen:
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
