"""Convolutions and fully connected layers with channels in the lanes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from striate.engine.channels import winograd
from striate.engine.channels.buffers import Channels
from striate.engine.channels.context import ChannelLowering, ChannelRule, Work, lanes_for
from striate.engine.channels.folding import Ending, affine_after
from striate.engine.channels.tiles import Tiling, side_by_side, tile_for, tiling
from striate.engine.channels.weights import in_place, packed_bias, packed_weights
from striate.engine.lowering.correlation import FLAT_TERMS, LONGEST_SUM, ended_pairs, whole_tiles
from striate.engine.lowering.weights import weight_index
from striate.engine.lowering.windows import Geometry, places, taps
from striate.engine.program import Place
from striate.engine.rules import CHANNELS, RULES
from striate.engine.segments import PARAMETERS
from striate.layers.convolution import Convolution
from striate.layers.dense import Linear
from striate.network import Step

ONCE = {"blocks": 1, "image_block": 0, "weights_block": 0, "out_block": 0}


@dataclass(frozen=True)
class Terms:
    """Terms of a sum that are added one after the other: taps (weight, image), and the outer loop over them."""

    taps: np.ndarray
    outer: int = 1
    image_step: int = 0
    weights_step: int = 0

    def __len__(self) -> int:
        return self.outer * len(self.taps)


def emit_correlation(
    lowering: ChannelLowering,
    x: Channels,
    out: Channels,
    weights: Place,
    bias: Place,
    rows: np.ndarray,
    parts: list[Terms],
    after: Ending,
) -> None:
    """Append the sums at the positions ``rows`` (int64[P, 2]: image, output) of all filters of ``out``.

    ``parts`` of a long sum are added up.
    """
    found = tiling(
        rows,
        out.shape[0],
        len(parts[0]),
        lowering.program.lanes,
        lowering.facts.most_sums,
        again=len(parts) == 1,
    )
    table = lowering.program.table(found.rows)
    lowering.works += _works(lowering, x, out, weights, bias, table, found, parts, after)


def _works(
    lowering: ChannelLowering,
    x: Channels,
    out: Channels,
    weights: Place,
    bias: Place,
    rows: Any,
    tiles: Tiling,
    parts: list[Terms],
    after: Ending,
) -> Iterator[Work]:
    """Yield the calls that add up ``parts`` of the sums of all filters."""
    lanes, blocks, total = lowering.lanes, out.shape[0], sum(map(len, parts))
    numbers = np.arange(blocks)
    where = np.stack([numbers * total * lanes, numbers * out.strides[0], numbers * lanes], axis=1)
    places = whole_tiles(where, tiles.size[1])
    for number, terms in enumerate(parts):
        last = number == len(parts) - 1
        arguments = {
            "image": lowering.place(x),
            "weights": weights,
            "bias": bias if number == 0 else lowering.constant(0.0, blocks * lanes),
            "out": lowering.place(out),
            "rows": rows,
            "row_count": len(tiles.rows),
            **terms_arguments(lowering, terms),
            "places": lowering.program.table(places),
            "place_count": len(places),
            **ONCE,
            "ending": lowering.numbers(*(after if last else Ending()).arguments.values()),
            "accumulate": int(number > 0),
        }
        products = tiles.positions * len(places) * len(terms) * lanes
        made = replace(tiles, activation=after.activation if last else "")
        yield lowering.call(made.kernel, made.constants, arguments, products)


def terms_arguments(lowering: ChannelLowering, terms: Terms) -> dict[str, Any]:
    """Return the arguments of the kernel that say which products are added."""
    return {
        "taps": lowering.program.table(ended_pairs(terms.taps)),
        "outer_count": terms.outer,
        "image_outer": terms.image_step,
        "weights_outer": terms.weights_step,
    }


def _window_terms(x: Channels, first: int, channels: int, window: np.ndarray, lanes: int) -> list[Terms]:
    """Return the terms of ``channels`` input channels from ``first`` on, cut where a sum is long."""
    count = -(-channels * len(window) // LONGEST_SUM)
    cuts = np.array_split(np.arange(channels), min(count, channels))
    return [channel_terms(x, first, int(cut[0]), len(cut), window, lanes) for cut in cuts]


def channel_terms(x: Channels, first: int, begin: int, channels: int, window: np.ndarray, lanes: int) -> Terms:
    """Return the terms of ``channels`` channels from ``first + begin`` on, whose weights begin at ``begin``."""
    places_of = x.channel_places()[first + begin : first + begin + channels]
    near = channels
    if channels * len(window) > FLAT_TERMS and channels % x.lanes == 0 and (first + begin) % x.lanes == 0:
        near = x.lanes  # whole blocks of channels are an outer loop
    images = (places_of[:near, None] + window[None, :]).ravel()
    weights = (begin * len(window) + np.arange(len(images))) * lanes
    return Terms(np.stack([weights, images], axis=1), channels // near, x.strides[0], len(images) * lanes)


def _index(lowering: ChannelLowering, step: Step) -> np.ndarray:
    """Return the place of every weight in the flat vector, int64[groups, filters, channels, taps]."""
    return weight_index(lowering, step) + step.parameters[0].offset  # type: ignore[arg-type]


def _convolution(lowering: ChannelLowering, step: Step) -> None:
    layer: Convolution = step.layer  # type: ignore[assignment]
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    window = layer.window(*step.input_shapes)
    geometry = Geometry.of(window)
    if _is_depthwise(step):
        _depthwise(lowering, step, lowering.in_lanes(step.inputs[0]), out, geometry)
        return
    index, after = _index(lowering, step), affine_after(lowering, step)
    if winograd.suits(lowering, step, index.shape, geometry):
        x = lowering.in_lanes(step.inputs[0])
        winograd.emit(lowering, step, x, out, index[0], after, geometry)
        return
    groups, filters, channels, _ = index.shape
    terms = channels * index.shape[3]
    for g in range(groups):
        own = out.part(g * filters, filters)
        emit_correlation(
            lowering,
            x,
            own,
            packed_weights(lowering, in_place(lowering, index[g]), filters, terms, after, g * filters),
            packed_bias(lowering, step, after, g * filters, filters),
            places(x, own, geometry),
            _window_terms(x, g * channels, channels, taps(x, geometry), lowering.lanes),
            Ending.of(lowering, step),
        )


def _is_depthwise(step: Step) -> bool:
    layer: Convolution = step.layer  # type: ignore[assignment]
    return layer.groups > 1 and layer.groups == step.input_shapes[0][0] == layer.out_channels


def _depthwise(lowering: ChannelLowering, step: Step, x: Channels, out: Channels, geometry: Geometry) -> None:
    index, after = _index(lowering, step), affine_after(lowering, step)
    channels, count = index.shape[0], index.shape[3]
    weights = packed_weights(lowering, in_place(lowering, index), channels, count, after)
    numbers = np.arange(out.shape[0])
    where = [x.channels(), out.channels(), numbers * count * lowering.lanes, numbers * lowering.lanes]
    table, window = lowering.program.table, taps(x, geometry)
    tiles, ending = side_by_side(places(x, out, geometry)), Ending.of(lowering, step)
    arguments = {
        "x": lowering.place(x),
        "weights": weights,
        "bias": packed_bias(lowering, step, after, 0, channels),
        "out": lowering.place(out),
        "channels": table(np.stack(where, axis=1)),
        "channel_count": len(numbers),
        "places": table(tiles.rows),
        "place_count": len(tiles.rows),
        "taps": table(window),
        "tap_count": len(window),
        **ending.arguments,
    }
    products = len(numbers) * lowering.lanes * count * math.prod(out.shape[1:])
    unrolled = len(window) if len(window) in (3, 9, 25) else 0
    constants = (unrolled, tiles.size[0], *tiles.steps, ending.activation)
    lowering.works.append(lowering.call("channels.depthwise", constants, arguments, products))


def _convolution_fits(step: Step) -> bool:
    layer: Convolution = step.layer  # type: ignore[assignment]
    if layer.padding_mode != "zeros":
        return False
    return layer.groups == 1 or _is_depthwise(step) or (layer.out_channels // layer.groups) % 16 == 0


def _convolution_lanes(lowering: ChannelLowering, step: Step) -> int:
    layer: Convolution = step.layer  # type: ignore[assignment]
    return lanes_for(lowering, layer.out_channels)


def _dense(lowering: ChannelLowering, step: Step) -> None:
    """All samples at once: every weight is read from memory once, however many samples there are."""
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    weights = Place(PARAMETERS, 4 * step.parameters[0].offset)
    after, filters = affine_after(lowering, step), step.shape[0]
    packed = packed_weights(lowering, weights, filters, x.count * math.prod(x.shape[1:]), after)
    bias = packed_bias(lowering, step, after, 0, filters)
    emit_dense(lowering, x, out, packed, bias, Ending.of(lowering, step))


def emit_dense(
    lowering: ChannelLowering, x: Channels, out: Channels, weights: Place, bias: Place, after: Ending
) -> None:
    """Append the sums over all features of ``x``, for every filter of ``out`` and all samples."""
    features, samples = x.features(), lowering.samples
    tile = tile_for(lowering.program.lanes, samples, out.shape[0], len(features), lowering.facts.most_sums)

    def rows(stride: int) -> np.ndarray:
        begins = np.arange(samples) * stride
        return whole_tiles(np.stack([begins, begins], axis=1), tile[0])

    def table(stride: int) -> Place:
        return lowering.program.table(rows(stride))

    pairs = np.stack([np.arange(len(features)) * lowering.lanes, features], axis=1)
    parts = [Terms(part) for part in np.array_split(pairs, -(-len(pairs) // LONGEST_SUM))]
    for work in _works(lowering, x, out, weights, bias, table, Tiling(tile, rows(0)), parts, after):
        lowering.works.append(replace(work, samples=True))


RULES[CHANNELS, Convolution] = ChannelRule(
    _convolution, reads_single=True, fits=_convolution_fits, lanes=_convolution_lanes
)
RULES[CHANNELS, Linear] = ChannelRule(_dense, reads_single=True)
