"""Convolutions and fully connected layers of whole numbers: weights packed in words of four, sums in tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from striate.engine.channels.buffers import Channels
from striate.engine.channels.context import ChannelLowering, ChannelRule
from striate.engine.channels.sums import Terms, channel_terms, terms_arguments
from striate.engine.channels.tiles import tile_for
from striate.engine.channels.words import IN_A_WORD, Words, allocate_words
from striate.engine.layout import Margin
from striate.engine.lowering.correlation import whole_tiles
from striate.engine.lowering.pooling import geometry_of
from striate.engine.lowering.tiles import TWELVE
from striate.engine.lowering.windows import places, taps
from striate.engine.program import Place
from striate.engine.rules import CHANNELS, RULES
from striate.engine.segments import PARAMETERS
from striate.layers.quantised import QuantisedConvolution, QuantisedLinear
from striate.layers.quantised_sums import LARGEST, QuantisedSums
from striate.network import Step

NO_FLOOR = -(2**62)
CACHED_BYTES = 2**19  # weights that stay in a core's cache from one sample to the next
ENDING = 6  # terms whose products take as long as bringing a sum back to a byte


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
            else allocate_words(lowering, step, layer.output_zero_point),
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
    products = len(positions) * arguments["place_count"] * (len(terms) + ENDING) * lowering.lanes
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
    reads = 2 if tile[0] == 1 else 1  # a weight that one product needs takes longer to read than to multiply
    products = reads * arguments["row_count"] * arguments["place_count"] * len(terms) * lowering.lanes
    work = lowering.call("integers.correlate", sums.constants(lowering, tile), arguments, products)
    lowering.works.append(replace(work, samples=together))


def _tile_for(lowering: ChannelLowering, positions: int, blocks: int, terms: int) -> tuple[int, int]:
    """Return the tile of a layer; products of pairs take registers, so fewer are left for sums."""
    most_sums = TWELVE if lowering.byte_products == "pairs" else lowering.facts.most_sums
    return tile_for(lowering.lanes, positions, blocks, terms, most_sums)


def _padding(step: Step) -> Margin:
    return geometry_of(step).padding


RULES[CHANNELS, QuantisedConvolution] = ChannelRule(_convolution, reads_single=True, margin=_padding)
RULES[CHANNELS, QuantisedLinear] = ChannelRule(_linear, reads_single=True)
