"""3x3 convolutions by Winograd's algorithm with channels in the lanes; see ``striate.engine.lowering.winograd``."""

from __future__ import annotations

import math

import numpy as np

from striate.engine.channels.buffers import Channels
from striate.engine.channels.context import Chain, ChannelLowering, Work
from striate.engine.channels.folding import Affine, Ending
from striate.engine.channels.tiles import tiling
from striate.engine.channels.weights import in_place, packed_bias, winograd_weights
from striate.engine.layout import canonical_shape
from striate.engine.lowering.correlation import ended_pairs, whole_tiles
from striate.engine.lowering.windows import Geometry
from striate.engine.lowering.winograd import LEAST_CHANNELS, Patches, chunks, near
from striate.engine.lowering.winograd import geometry as patch_geometry
from striate.engine.program import Place
from striate.network import Step

PRODUCTS_PER_NS = 50.0  # of a core
WEIGHT_BYTES_PER_NS = 16.0  # from beyond the second-level cache
NEAR_BYTES = 2**19  # that lie nearer
TRANSFORM_PRODUCTS = 160  # what transforming a patch of a channel costs, there and back, in multiplications
CHUNK_PRODUCTS = 2_000_000
LEAST_PRODUCTS = 400_000  # of a chunk; with fewer, fetching the weights once more costs more than a thread saves


def suits(lowering: ChannelLowering, step: Step, shape: tuple[int, ...], geometry: Geometry) -> bool:
    """Return whether the algorithm is faster than the direct sum."""
    groups, filters, channels, _ = shape
    plain = geometry.kernel == (1, 3, 3) and geometry.stride == geometry.dilation == (1, 1, 1)
    lanes, (_, depth, height, width) = lowering.lanes, canonical_shape(step.shape)
    wide = min(filters, channels) >= max(LEAST_CHANNELS, lanes) and min(height, width) >= 4 and depth == 1
    if not (lowering.facts.winograd and plain and groups == 1 and wide):
        return False
    patches = math.ceil(height / 4) * math.ceil(width / 4)
    rows = -(-filters // lanes) * lanes
    direct = max(9 * height * width * rows * channels / PRODUCTS_PER_NS, _fetch(36 * rows * channels))
    products = 36 * patches * rows * channels + TRANSFORM_PRODUCTS * patches * (rows + channels)
    return max(products / PRODUCTS_PER_NS, _fetch(4 * 36 * rows * channels)) < 0.9 * direct


def _fetch(size: int) -> float:
    return max(0, size - NEAR_BYTES) / WEIGHT_BYTES_PER_NS


def emit(
    lowering: ChannelLowering,
    step: Step,
    x: Channels,
    out: Channels,
    index: np.ndarray,
    after: Affine | None,
    geometry: Geometry,
) -> None:
    """Emit a convolution with the weights at ``index`` (int64[filters, channels, 9]), chunk by chunk of patches."""
    filters, channels, _ = index.shape
    lanes, blocks = lowering.lanes, out.shape[0]
    weights = winograd_weights(lowering, in_place(lowering, index), filters, channels, after)
    bias = packed_bias(lowering, step, after, 0, filters)
    size = _chunk_size(out, 36 * (blocks + x.shape[0]) * lanes * 4, 36 * blocks * lanes * channels)
    chain = [_chunk(lowering, step, x, out, part, weights, bias, channels, geometry) for part in chunks(out, size)]
    lowering.works.append(Chain(chain))


def _chunk_size(out: Channels, bytes_per_patch: int, products_per_patch: int) -> int:
    """Return the patches of a chunk: chunks of one size, an even number of them, so that two threads share them."""
    _, _, height, width = out.shape
    patches = math.ceil(height / 4) * math.ceil(width / 4)
    products = patches * products_per_patch
    least = math.ceil(patches / near(bytes_per_patch)), math.ceil(products / CHUNK_PRODUCTS)
    count = max(*least, min(2, products // LEAST_PRODUCTS))
    return math.ceil(patches / (count if count == 1 else count + count % 2))


def _chunk(
    lowering: ChannelLowering,
    step: Step,
    x: Channels,
    out: Channels,
    part: Patches,
    weights: Place,
    bias: Place,
    channels: int,
    geometry: Geometry,
) -> list[Work]:
    lanes, blocks, count, table = lowering.lanes, out.shape[0], len(part), lowering.program.table
    inputs, products, scratch = (
        lowering.arena.allocate((size,)) for size in (36 * x.shape[0] * count, 36 * blocks * count, 72)
    )
    before = (geometry.padding[1][0], geometry.padding[2][0])
    rows, numbers, terms = np.arange(count) * lanes, np.arange(blocks), np.arange(channels)
    found = tiling(
        np.stack([rows, rows], axis=1),
        blocks,
        channels,
        lowering.program.lanes,
        lowering.facts.most_sums,
        again=True,
    )
    where = np.stack([numbers * channels * lanes, numbers * count * lanes, 0 * numbers], axis=1)
    taps = np.stack([terms * lanes, terms // lanes * count * lanes + terms % lanes], axis=1)
    transform = {
        "x": lowering.place(x),
        "out": lowering.place(inputs),
        **patch_geometry(lowering.program, x, part.table(x, before), x.shape[0]),
        "scratch": lowering.place(scratch),
    }
    sums = {
        "image": lowering.place(inputs),
        "weights": weights,
        "bias": lowering.constant(0.0, lanes),
        "out": lowering.place(products),
        "rows": table(found.rows),
        "row_count": len(found.rows),
        "taps": table(ended_pairs(taps)),
        "outer_count": 1,
        "image_outer": 0,
        "weights_outer": 0,
        "places": table(places := whole_tiles(where, found.size[1])),
        "place_count": len(places),
        "blocks": 36,
        "image_block": x.shape[0] * count * lanes,
        "weights_block": blocks * channels * lanes,
        "out_block": blocks * count * lanes,
        "ending": lowering.numbers(*Ending().arguments.values()),
        "accumulate": 0,
    }
    ending = Ending.of(lowering, step)
    back = {
        "products": lowering.place(products),
        "bias": bias,
        "out": lowering.place(out),
        **patch_geometry(lowering.program, out, part.table(out, (0, 0)), blocks),
        "scratch": lowering.place(scratch),
        **ending.arguments,
        "accumulate": 0,
        "bias_vectors": 1,
    }
    cost = TRANSFORM_PRODUCTS // 2 * count * lanes
    return [
        lowering.call("winograd.winograd_input", (), transform, cost * x.shape[0]),
        lowering.call(found.kernel, found.constants, sums, 36 * found.positions * len(places) * lanes * channels),
        lowering.call("winograd.winograd_output", (ending.activation,), back, cost * blocks),
    ]
