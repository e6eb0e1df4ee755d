"""Layers of whole numbers with channels in the lanes: four bytes in a word, weights in words of four."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from striate.engine.channels.buffers import Channels
from striate.engine.channels.context import ChannelLowering, ChannelRule
from striate.engine.channels.sums import Terms, channel_terms, terms_arguments
from striate.engine.channels.tiles import tile_for
from striate.engine.layout import NO_MARGIN, Margin, canonical_shape
from striate.engine.lowering.correlation import whole_tiles
from striate.engine.lowering.pooling import geometry_of, unrolled, window_arguments, window_tables
from striate.engine.lowering.windows import places, taps
from striate.engine.program import Place
from striate.engine.rules import CHANNELS, RULES, SAMPLES
from striate.engine.segments import PARAMETERS
from striate.layers.base import Shape
from striate.layers.pooling import MaxPooling
from striate.layers.quantised import (
    LARGEST,
    Quantise,
    QuantisedConvolution,
    QuantisedLinear,
    QuantisedSums,
)
from striate.network import Step

IN_A_WORD = 4
NO_FLOOR = -(2**62)
CACHED_BYTES = 2**19  # weights that stay in a core's cache from one sample to the next


@dataclass(frozen=True)
class Words(Channels):
    """Whole numbers from 0 to 255; ``count`` and the places are those of words of four channels.

    Parameters
    ----------
    channels_inside : int
        Channels; the bytes beyond the last one hold numbers that nothing reads.
    """

    channels_inside: int = 0

    def bytes_of(self) -> np.ndarray:
        """Return the channel of every byte, -1 for none, int64[count, 4]."""
        numbers = np.arange(IN_A_WORD * self.count).reshape(-1, IN_A_WORD)
        return np.where(numbers < self.channels_inside, numbers, -1)


def _room(lowering: ChannelLowering, shape: Shape, margin: Margin, lanes: int) -> Words:
    channels, *space = canonical_shape(shape)
    found = lowering.arena.of_channels((-(-channels // IN_A_WORD), *space), margin, lanes=lanes)
    kept = {item.name: getattr(found, item.name) for item in fields(found)}
    return Words(**kept, channels_inside=channels)


def _allocate(lowering: ChannelLowering, step: Step, zero_point: int, lanes: int | None = None) -> Words:
    """Return a new buffer for the whole numbers of ``step``, whose margins stand for zero."""
    margin = lowering.margins.get(step.name, NO_MARGIN)
    found = _room(lowering, step.shape, margin, lanes or lowering.lanes // IN_A_WORD)
    if margin != NO_MARGIN and zero_point:
        lowering.emit("integers.fill", out=lowering.place(found), count=found.size, value=zero_point)
    lowering.values[step.name] = found
    return found


def _quantise(lowering: ChannelLowering, step: Step) -> None:
    layer: Quantise = step.layer  # type: ignore[assignment]
    x = lowering.values[step.inputs[0]]
    numbers = {"multiplier": layer.multiplier, "zero_point": layer.zero_point}
    observed = step.name in lowering.facts.outputs
    readers = [other.layer for other in lowering.network.steps if step.name in other.inputs]
    planes = x.lanes == 1 and math.prod(x.shape[1:]) > 1 and not observed
    if planes and all(isinstance(reader, QuantisedConvolution) for reader in readers):
        _quantise_planes(lowering, x, _allocate(lowering, step, layer.zero_point, lanes=1), numbers)
        return
    x = lowering.compact(step.inputs[0])
    _emit_blocks(lowering, "integers.quantise", x, _allocate(lowering, step, layer.zero_point), numbers)


def _quantise_planes(lowering: ChannelLowering, x: Channels, out: Words, numbers: dict[str, Any]) -> None:
    runs, length = x.channel_runs(out)
    arguments = {
        "x": lowering.place(x),
        "out": lowering.place(out),
        "channel_count": x.count,
        "x_channel": x.strides[0],
        "out_channel": out.strides[0],
        "runs": lowering.program.table(runs),
        "run_count": len(runs),
        "length": length,
        **numbers,
    }
    products = 4 * x.count * len(runs) * length
    lowering.works.append(lowering.call("integers.quantise_planes", (), arguments, products))


def _emit_blocks(
    lowering: ChannelLowering, kernel: str, x: Channels, out: Channels, numbers: dict[str, Any]
) -> None:
    """Append a call that treats ``lanes`` channels at each position."""
    runs, length = x.channel_runs(out)
    lowering.emit(
        kernel,
        x=lowering.place(x),
        out=lowering.place(out),
        channels=lowering.program.table(np.stack([x.channels(), out.channels()], axis=1)),
        channel_count=x.shape[0],
        runs=lowering.program.table(runs),
        run_count=len(runs),
        length=length,
        **numbers,
    )


def as_floats(lowering: ChannelLowering, buffer: Channels) -> Channels:
    """Return ``buffer``, or where it holds words, the same whole numbers as floats."""
    if not isinstance(buffer, Words):
        return buffer
    out = lowering.arena.of_channels((buffer.channels_inside, *buffer.shape[1:]))
    _emit_blocks(lowering, "integers.to_floats", buffer, out, {})
    return out


def _max_pool(lowering: ChannelLowering, step: Step) -> None:
    x = lowering.values[step.inputs[0]]
    if not isinstance(x, Words):
        lowering.in_lanes(step.inputs[0])
        RULES[SAMPLES, MaxPooling].forward(lowering, step)
        return
    assert step.quantisation is not None
    out = _allocate(lowering, step, step.quantisation.zero_point)
    for where, window in window_tables(x, out, geometry_of(step)):
        arguments = window_arguments(lowering, x, out, where, window)
        products = x.shape[0] * len(where) * len(window) * lowering.lanes
        lowering.works.append(lowering.call("integers.max_pool", unrolled(window), arguments, products))


@dataclass(frozen=True)
class _Sums:
    """The parameters of a layer of sums, packed, and where its results go."""

    layer: QuantisedSums
    out: Channels
    weights: Place
    bias: Place
    multiplier: Place

    @classmethod
    def of(cls, lowering: ChannelLowering, step: Step, words: np.ndarray) -> _Sums:
        """Pack the parameters of ``step``; ``words`` are the places in a filter of the weights of each word."""
        layer: QuantisedSums = step.layer  # type: ignore[assignment]
        weight, bias, multiplier = (Place(PARAMETERS, 4 * slot.offset) for slot in step.parameters)
        filters, size = step.shape[0], math.prod(step.parameters[0].spec.shape[1:])
        vectors = -(-filters // lowering.lanes) * lowering.lanes
        found = cls(
            layer,
            lowering.allocate(step)
            if layer.output_scale is None
            else _allocate(lowering, step, layer.output_zero_point),
            *(lowering.room(count) for count in (vectors * len(words), vectors, vectors)),
        )
        sizes: dict[str, Any] = {"filters": filters, "filter_size": size}
        lowering.pack(
            "integer_weights.pack_weights", w=weight, out=found.weights, terms=words, term_count=len(words), **sizes
        )
        lowering.pack(
            "integer_weights.pack_sums",
            w=weight,
            bias=bias,
            multiplier=multiplier,
            out_bias=found.bias,
            out_multiplier=found.multiplier,
            zero_point=layer.input_zero_point,
            **sizes,
        )
        return found

    def arguments(self, lowering: ChannelLowering, x: Channels, terms: Terms, tile: int) -> dict[str, Any]:
        """Return all arguments of the kernel but the positions."""
        numbers, layer = np.arange(self.out.shape[0]), self.layer
        lanes = lowering.lanes
        where = [numbers * len(terms) * lanes, numbers * self.out.strides[0], numbers * lanes]
        blocks = whole_tiles(np.stack(where, axis=1), tile)
        floats = layer.output_scale is None
        return {
            "image": lowering.place(x),
            "weights": self.weights,
            "bias": self.bias,
            "multiplier": self.multiplier,
            "out": lowering.place(self.out),
            **terms_arguments(lowering, terms),
            "places": lowering.program.table(blocks),
            "place_count": len(blocks),
            "low": (0 if layer.relu else NO_FLOOR) if floats else layer.low,
            "high": LARGEST,
            "zero_point": layer.output_zero_point,
        }

    def constants(self, lowering: ChannelLowering, tile: tuple[int, int]) -> tuple[int | str, ...]:
        """Return the constants of the kernel."""
        return *tile, lowering.byte_products, IN_A_WORD if isinstance(self.out, Words) else 1


def _convolution(lowering: ChannelLowering, step: Step) -> None:
    x: Words = lowering.values[step.inputs[0]]  # type: ignore[assignment]
    geometry = geometry_of(step)
    window = taps(x, geometry)
    terms = channel_terms(x, 0, 0, x.count, window, lowering.lanes)
    cells = np.arange(len(window))
    words = np.where(x.bytes_of()[:, None] >= 0, x.bytes_of()[:, None] * len(window) + cells[:, None], -1)
    sums = _Sums.of(lowering, step, words.reshape(-1, IN_A_WORD))
    rows = places(x, sums.out, geometry)
    tile = _tile_for(lowering, len(rows), sums.out.shape[0], len(terms))
    positions = whole_tiles(np.pad(rows, ((0, 0), (0, 1))), tile[0])
    arguments = sums.arguments(lowering, x, terms, tile[1])
    arguments |= {"rows": lowering.program.table(positions), "row_count": len(positions)}
    products = len(positions) * arguments["place_count"] * len(terms) * lowering.lanes
    lowering.works.append(lowering.call("integers.correlate", sums.constants(lowering, tile), arguments, products))


def _linear(lowering: ChannelLowering, step: Step) -> None:
    """All samples at once where the weights are many, so that each is read from memory once."""
    x: Words = lowering.values[step.inputs[0]]  # type: ignore[assignment]
    positions = math.prod(x.shape[1:])
    words = np.where(
        x.bytes_of()[:, None] >= 0, x.bytes_of()[:, None] * positions + np.arange(positions)[:, None], -1
    )
    sums = _Sums.of(lowering, step, words.reshape(-1, IN_A_WORD))
    features = x.features()
    terms = Terms(np.stack([np.arange(len(features)) * lowering.lanes, features], axis=1))
    together = sums.out.shape[0] * len(terms) * 4 * lowering.lanes > CACHED_BYTES
    samples = lowering.samples if together else 1
    tile = _tile_for(lowering, samples, sums.out.shape[0], len(terms))

    def rows(stride: int) -> Place:
        begins = np.arange(samples) * stride
        return lowering.program.table(whole_tiles(np.stack([begins, begins, 0 * begins], axis=1), tile[0]))

    arguments = sums.arguments(lowering, x, terms, tile[1])
    arguments |= {"rows": rows if together else rows(0), "row_count": -(-samples // tile[0]) * tile[0]}
    products = arguments["row_count"] * arguments["place_count"] * len(terms) * lowering.lanes
    work = lowering.call("integers.correlate", sums.constants(lowering, tile), arguments, products)
    lowering.works.append(replace(work, samples=together))


def _tile_for(lowering: ChannelLowering, positions: int, blocks: int, terms: int) -> tuple[int, int]:
    """Return the tile of a layer; products of pairs take registers, so theirs is that of 16 registers."""
    return tile_for(8 if lowering.byte_products == "pairs" else lowering.lanes, positions, blocks, terms)


def _padding(step: Step) -> Margin:
    return geometry_of(step).padding


RULES[CHANNELS, Quantise] = ChannelRule(_quantise, reads_single=True)
RULES[CHANNELS, MaxPooling] = ChannelRule(_max_pool, reads_single=True)
RULES[CHANNELS, QuantisedConvolution] = ChannelRule(_convolution, reads_single=True, margin=_padding)
RULES[CHANNELS, QuantisedLinear] = ChannelRule(_linear, reads_single=True)
